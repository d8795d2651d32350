import BenchCore
public import Foundation

/// A store as pages that need no server: how the last weeks went, which tests flake, which kernel changed what, how speed went. A folder
/// of them can be put anywhere, since they fetch nothing and lead nowhere but to each other.
public struct SiteReport {
    let trends: Trends
    private let made: Date
    /// Rows of a table: a page that is read, not a database.
    static let limit = 200

    public init(_ store: Store, made: Date = Date()) throws {
        trends = try Trends(store)
        self.made = made
    }

    /// Writes the pages into a folder, which is made if need be.
    ///
    /// - Returns: where the first one is, and how many bytes there are in all.
    public func write(to folder: String) throws -> (page: String, bytes: Int) {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var bytes = 0
        for (name, text) in pages {
            bytes += text.utf8.count
            try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
        }
        return (folder + "/index.html", bytes)
    }

    private static let contents: KeyValuePairs<StaticString, StaticString> = [
        "index.html": "Weeks", "flakes.html": "Flakes", "kernels.html": "Kernels", "speed.html": "Speed",
    ]

    var pages: [(name: String, text: String)] {
        zip(SiteReport.contents, [weeks, flakes, kernels, speed]).map { page, content in
            (page.key.description, text(page.value, content))
        }
    }

    private func text(_ title: StaticString, _ content: Markup) -> String {
        let links: [Markup] = SiteReport.contents.map { name, other in
            let current = other.description == title.description ? "page" : nil
            return "<a\(attributes: ["href": name.description, "aria-current": current])>\(other.description)</a>"
        }
        let days = "\(Format.day(Trends.monday(of: trends.weeks.lowerBound))) to \(Format.moment(made))"
        let body: Markup = """
            <header><div class="title"><h1>fstestkit</h1><nav aria-label="Pages">\(links)</nav></div>
            <p>\(Format.count(trends.runs.count, "run")), \(days)</p></header>
            <main>
            \(content)
            </main>
            """
        return Markup.page("\(title.description) · fstestkit", style: PackageResources.site_css, body).text
    }

    func section(_ title: StaticString, _ explanation: String, _ body: Markup) -> Markup {
        "<section><h2>\(title.description)</h2><p>\(explanation)</p>\(body)</section>"
    }

    func table(_ headings: [String], _ rows: [Markup]) -> Markup {
        let names: [Markup] = headings.map { #"<th scope="col">\#($0)</th>"# }
        return """
            <div class="scroll"><table class="record"><thead><tr>\(names)</tr></thead><tbody>\(rows)</tbody></table></div>
            """
    }

    /// How many rows are not shown.
    func more(_ count: Int, _ limit: Int = SiteReport.limit) -> Markup {
        count > limit ? "<p>… and \(count - limit) more.</p>" : ""
    }

    /// A test with where it was run.
    func name(_ test: Trends.Test) -> Markup {
        #"<span class="where">\#(test.suite)/\#(test.target)</span> \#(PageReport.breakable(test.path))"#
    }
}
