import Testing

@testable import TransportURing

@Suite struct UserDataTests {
    @Test(arguments: [UserData.Kind.command, .backing, .wakeUp, .hook, .setUp], [0, 1, 4095, UInt32.max])
    func roundTrip(kind: UserData.Kind, entry: UInt32) {
        let data = UserData(kind, entry: entry)
        #expect(UserData(rawValue: data.rawValue) == data)
    }

    @Test func differentSubmissionsDiffer() {
        let all = [UserData.Kind.command, .backing, .wakeUp, .hook, .setUp].flatMap { kind in
            [0, 1, UInt32.max].map { UserData(kind, entry: $0).rawValue }
        }
        #expect(Set(all).count == all.count)
    }

    @Test(arguments: [UInt64(0xff) << 32, 1 << 40, UInt64.max])
    func foreignValuesAreRefused(raw: UInt64) {
        #expect(UserData(rawValue: raw) == nil)
    }
}
