import Testing

@testable import SpeedSuite

@Suite struct SpeedJobsTests {
    @Test func eachJobIsThereOnce() {
        #expect(Set(SpeedJobs.all.map(\.name)).count == SpeedJobs.all.count)
        for jobs in [SpeedJobs.usual, SpeedJobs.quick] {
            let titles = jobs.map { "\($0.name) \($0.clients)" }
            #expect(Set(titles).count == titles.count)
        }
    }

    /// What is asked for clients and depths is made of the jobs that have them.
    @Test func clientsAndDepthsMultiply() throws {
        let direct = try #require(SpeedJobs.named("randread-4k-direct"))
        let buffered = try #require(SpeedJobs.named("read-1m-buffered"))
        let list = try #require(SpeedJobs.named("list"))
        let jobs = SpeedJobs.variants([direct, buffered, list], clients: [1, 8], depths: [1, 32])
        #expect(
            jobs.map { "\($0.name) \($0.clients) \($0.depth)" } == [
                "randread-4k-direct 1 1", "randread-4k-direct 1 32", "randread-4k-direct 8 1",
                "randread-4k-direct 8 32",
                "read-1m-buffered 1 1", "read-1m-buffered 8 1", "list 0 1",
            ])
    }

    @Test func dataFitsIntoMemory() {
        var settings = SpeedSettings(subjects: [], reference: "", jobs: [], directories: [], seed: 1)
        settings.fit(intoMiB: 1600)
        #expect(settings.largeData == 100)
        #expect(settings.smallData == 64)
        settings.fit(intoMiB: 100)
        #expect(settings.largeData == 16 && settings.smallData == 16)
    }
}
