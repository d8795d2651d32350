import BenchCore
import Testing

@testable import SpeedSuite

@Suite struct FioTests {
    /// The part that counts, as fio 3.33 has it.
    private static func output(error: Int = 0) -> String {
        """
        note: both iodepth >= 1 and synchronous I/O engine are selected, queue depth will be capped at 1
        {
          "fio version" : "fio-3.33",
          "jobs" : [
            {
              "jobname" : "data", "groupid" : 0, "error" : \(error), "job_runtime" : 1000, "usr_cpu" : 10.0, "sys_cpu" : 30.0,
              "read" : {
                "total_ios" : 5000, "iops" : 10000.0, "bw_bytes" : 40960000,
                "clat_ns" : { "mean" : 90000.0, "N" : 5000,
                              "percentile" : { "50.000000" : 80000, "99.000000" : 250000, "99.900000" : 1000000 } }
              },
              "write" : { "total_ios" : 0, "iops" : 0.0, "bw_bytes" : 0, "clat_ns" : { "mean" : 0.0, "N" : 0 } },
              "trim" : { "total_ios" : 0, "iops" : 0.0, "bw_bytes" : 0 }
            }
          ]
        }
        """
    }

    @Test func itsNumbersAreRead() throws {
        let output = try FioOutput(FioTests.output())
        #expect(output.operations == 5000)
        #expect(output.operationsPerSecond == 10000)
        #expect(output.bytesPerSecond == 40_960_000)
        #expect(output.latency?.p50 == 80)
        #expect(output.latency?.p999 == 1000)
        // 40 % of a second.
        #expect(abs(output.clientTime - 400_000) < 1)
    }

    @Test func itsErrorsAreTold() {
        #expect(throws: FioOutput.Failure.job(errno: 28)) { try FioOutput(FioTests.output(error: 28)) }
        let words = "fio: engine uring not loadable\nfio: pid=0, err=22"
        #expect(throws: FioOutput.Failure.said("fio: engine uring not loadable")) { try FioOutput(words) }
        #expect(throws: FioOutput.Failure.said(nil)) { try FioOutput("") }
        let cut = "{\n  \"jobs\" : [\nfio: io_u error on file /m/data.0.0: No space left on device: write offset=0\n}\n"
        #expect(
            throws: FioOutput.Failure.said(
                "fio: io_u error on file /m/data.0.0: No space left on device: write offset=0")
        ) {
            try FioOutput(cut)
        }
        #expect(throws: FioOutput.Failure.said(nil)) { try FioOutput("{\n}\n") }
    }
}
