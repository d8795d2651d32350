public import BenchCore

extension SpeedRecord {
    /// Each job on each subject as a test, for the matrix and the store. A slow subject passes: whether that is a regression, a
    /// comparison of runs tells.
    ///
    /// - Parameter evidence: of each, relative to the run's output.
    public func results(of subject: Int, evidence: [String]) -> [TestResult] {
        jobs.indices.map { job in
            var result = TestResult(
                suite: "bench", target: subjects[subject].name, area: jobs[job].place, name: jobs[job].testName,
                verdict: .passed, seconds: seconds(job, subject), evidence: evidence)
            let found = self.result(job: job, subject: subject)
            if let obstacle = jobs[job].obstacle {
                result.verdict = .skipped
                result.message = obstacle
            } else if found.values.isEmpty {
                result.verdict = found.failure == nil ? .skipped : .failed
                result.message = found.failure ?? "it was not run"
            } else {
                result.message = words(found)
                result.measurement = measurement(found)
            }
            return result
        }
    }

    /// With the rounds of what it is compared with; of the reference itself that is the plain directory.
    private func measurement(_ found: SpeedResult) -> Measurement {
        var other = self
        if found.subject == reference { other.reference = subjects.lastIndex { $0.isDirectory } ?? reference }
        let shown = other.reference == reference ? found : other.result(job: found.job, subject: found.subject)
        let isRuler = found.subject == other.reference
        return Measurement(
            unit: jobs[found.job].unit, isSpeed: true, values: shown.values,
            reference: isRuler ? nil : .init(subject: subjects[other.reference].name, values: shown.references),
            settings: settings, isDisturbed: shown.isDisturbed)
    }

    private func seconds(_ job: Int, _ subject: Int) -> Double {
        trials.filter { $0.job == job && $0.subject == subject }.reduce(0) { $0 + $1.seconds }
    }

    private func words(_ result: SpeedResult) -> String {
        let speed = "\(SpeedText.speed(result.median)) \(jobs[result.job].unit)"
        guard let ratio = result.ratio else { return speed }
        return "\(speed), \(SpeedText.ratio(ratio)) of \(subjects[reference].name): \(SpeedText.word(result))"
    }
}
