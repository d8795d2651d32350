/// The list: every check, in the order of a run.
enum CheckList {
    static let all: [Check] = [
        openChecks, directoryChecks, nameChecks, linkChecks, renameChecks, dataChecks, spaceChecks, mappingChecks,
        unlinkedChecks, attributeChecks, permissionChecks, xattrChecks, accessListChecks, lockChecks, lockWaitChecks,
        concurrencyChecks, outsideChecks, behindChecks, mountChecks, syncChecks, handleChecks, inodeFlagChecks,
    ].flatMap(\.checks)

    /// The check with this name.
    static func check(named name: String) -> Check? {
        all.first { $0.name == name }
    }
}
