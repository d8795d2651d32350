import SystemPackage

/// The command lines of fio.
struct FioCommand {
    let settings: SpeedSettings

    /// What every run has: no terminal, no leftovers, one result for all clients.
    private static let common = [
        "fio", "--output-format=json", "--eta=never", "--group_reporting", "--fallocate=none",
        "--percentile_list=50:99:99.9", "--clocksource=clock_gettime", "--allow_file_create=1",
    ]

    /// One pass over its files takes as long as it takes, but no longer than this many seconds.
    private static let longestPass = 20

    func data(_ work: DataWork, _ job: SpeedJob, folder: String, seed: UInt64) -> [String] {
        var words = FioCommand.common
        words += [
            "--name=data", "--directory=\(folder)", "--rw=\(work.pattern)", "--bs=\(work.blockSize)",
            "--numjobs=\(job.clients)", "--size=\(size(work, job))", "--randseed=\(seed % (1 << 31))",
            "--overwrite=1",
        ]
        switch work.way {
        case .direct:
            words += ["--direct=1", "--norandommap"]
            words += job.depth > 1 ? ["--ioengine=io_uring", "--iodepth=\(job.depth)"] : ["--ioengine=psync"]
        case .buffered: words.append("--ioengine=psync")
        case .mapped: words.append("--ioengine=mmap")
        }
        if work.syncs { words.append("--fsync=1") }
        if work.isOnePass {
            words.append("--runtime=\(FioCommand.longestPass)")
            if work.isWrite { words.append("--end_fsync=1") }
        } else {
            words += [
                "--time_based", "--runtime=\(milliseconds(settings.seconds))",
                "--ramp_time=\(milliseconds(settings.warmUp))",
            ]
        }
        return words
    }

    /// Makes the files, as large as any job of so many clients wants them.
    func layout(_ work: DataWork, _ job: SpeedJob, folder: String) -> [String] {
        FioCommand.common + [
            "--name=data", "--directory=\(folder)", "--rw=read", "--bs=1048576", "--numjobs=\(job.clients)",
            "--size=\(size(work, job))", "--ioengine=psync", "--create_only=1",
        ]
    }

    /// - Parameter first: a command that each client runs before its clock does.
    func files(_ work: FileWork, _ job: SpeedJob, folder: String, first: [String] = []) -> [String] {
        let engine =
            switch work {
            case .create: ["--ioengine=filecreate", "--create_on_open=1"]
            case .stat: ["--ioengine=filestat"]
            case .unlink: ["--ioengine=filedelete"]
            }
        let before =
            first.isEmpty
            ? [] : ["--exec_prerun=" + first.map { "'\($0.replacing("'", with: "'\\''"))'" }.joined(separator: " ")]
        return FioCommand.common + many(job, folder: folder) + engine + before
    }

    /// Makes the files that are then looked at or removed.
    func layout(_ work: FileWork, _ job: SpeedJob, folder: String) -> [String] {
        FioCommand.common + many(job, folder: folder) + ["--ioengine=psync", "--rw=read", "--create_only=1"]
    }

    private func many(_ job: SpeedJob, folder: String) -> [String] {
        [
            "--name=file", "--directory=\(folder)", "--numjobs=\(job.clients)", "--openfiles=1", "--filesize=4k",
            "--nrfiles=\(filesOfEach(job))", "--filename_format=$jobnum/$filenum", "--bs=4k",
            // In turns, fio looks at each of its files to find the next: with 8,000 of them nearly all of its time.
            "--file_service_type=sequential",
        ]
    }

    func filesOfEach(_ job: SpeedJob) -> Int { max(1, settings.files / job.clients) }

    /// Writes somebody's file for fio as it is run here: with the folder as its first word.
    ///
    /// - Parameter isLayout: the files that it reads are made, and nothing else.
    func write(_ text: String, to copy: FilePath, in folder: String, isLayout: Bool) throws {
        let file = try FileDescriptor.open(
            copy, .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: 0o644))
        let head = ["[global]", "directory=\(folder)", "group_reporting=1", "percentile_list=50:99:99.9"]
        let whole = (head + (isLayout ? ["create_only=1"] : []) + [text]).joined(separator: "\n")
        _ = try file.closeAfter { try file.writeAll(whole.utf8) }
    }

    /// - Parameter job: the path of such a file. What fio writes of its own goes beside it, and not to where the user is.
    func file(_ job: String) -> [String] {
        ["fio", "--output-format=json", "--eta=never", "--aux-path=\(FilePath(job).removingLastComponent())", job]
    }

    /// Bytes of each client: the same in all, however many share them.
    private func size(_ work: DataWork, _ job: SpeedJob) -> Int {
        let all = (work.blockSize >= 1 << 20 ? settings.largeData : settings.smallData) << 20
        return max(1 << 20, ((all / job.clients) >> 20) << 20)
    }

    private func milliseconds(_ seconds: Double) -> String { "\(Int(seconds * 1000))ms" }
}
