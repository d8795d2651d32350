import CLinux
public import SystemPackage

/// The machine's CPUs, by number.
public enum CPUSet {
    /// CPUs that may ever be there: the kernel has a FUSE queue for each of them.
    public static func possible() throws(Errno) -> [Int] {
        parse(try readWhole("/sys/devices/system/cpu/possible"))
    }

    /// CPUs that are there now.
    public static func online() throws(Errno) -> [Int] {
        parse(try readWhole("/sys/devices/system/cpu/online"))
    }

    /// CPUs of one package, which share memory and caches; the CPU alone if the machine does not say.
    public static func sharingPackage(with cpu: Int) -> [Int] {
        let list = FilePath("/sys/devices/system/cpu/cpu\(cpu)/topology/package_cpus_list")
        return (try? readWhole(list)).map(parse) ?? [cpu]
    }

    /// Whether this process may run on it.
    public static func allows(_ cpu: Int) -> Bool { clinux_cpu_allowed(CInt(cpu)) == 1 }

    /// Parses the kernel's list format, such as `0-3,8`.
    public static func parse(_ text: String) -> [Int] {
        var cpus: [Int] = []
        for part in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            let bounds = part.split(separator: "-").compactMap { Int($0) }
            guard let first = bounds.first, let last = bounds.last, first <= last else { continue }
            cpus += first...last
        }
        return cpus
    }
}
