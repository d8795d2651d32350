import Foundation
import TestMatrix
import Testing

private let browser = ["chromium", "chromium-browser", "google-chrome"].first(where: isInstalled)

/// The HTML page in a real browser: it renders, its filter, links and keys work, and it says nothing on the console.
@Suite(.serialized, .enabled(if: browser != nil, "needs chromium")) struct PageTests {
    private let matrix: StandInMatrix
    private let page: String

    init() throws {
        matrix = try StandInMatrix([
            "one": """
            mkdir -p "$2/evidence"
            echo "the proof of <b>it</b>" >"$2/evidence/y.log"
            for i in 1 2 3 4 5; do say_finished rename "test $i" passed; done
            say_finished locks x skipped "not here"
            if [ "$1" = legacy ]; then
                say_finished rename y failed "expected 0, got EIO" evidence/y.log
                exit 1
            fi
            """
        ])
        // A second run, so that there is a past to plot.
        try matrix.run("matrix")
        try matrix.run("matrix")
        page = "\(matrix.folder)/fstestkit-results/\(try matrix.report().run.folder)/report.html"
    }

    /// Loads the page with a script appended that ends by leaving its findings in `document.title`.
    private func visit(_ script: String, width: Int = 1200) throws -> (title: String, console: [String]) {
        let text =
            try String(contentsOfFile: page, encoding: .utf8)
            + "<script>addEventListener('load', () => { try { document.title = JSON.stringify((() => {\(script)})()) }"
            + " catch (error) { document.title = 'error: ' + error } })</script>"
        let copy = page.replacing("report.html", with: "visit.html")
        try text.write(toFile: copy, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            browser ?? "", "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            "--user-data-dir=\(matrix.folder)/profile", "--window-size=\(width),900", "--virtual-time-budget=3000",
            "--dump-dom",
            "file://" + copy,
        ]
        let log = matrix.folder + "/browser.log"
        let dom = matrix.folder + "/browser.html"
        for path in [log, dom] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: dom)
        process.standardError = FileHandle(forWritingAtPath: log)
        try process.run()
        process.waitUntilExit()
        let html = try String(contentsOfFile: dom, encoding: .utf8)
        let title = html.firstMatch(of: #/<title>(.*?)<\/title>/#).map { String($0.1) } ?? "no title"
        let console = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").filter {
            $0.contains("CONSOLE")
        }
        return (title.replacing("&quot;", with: "\""), console.map(String.init))
    }

    @Test func theFilterAndTheLinksWork() throws {
        let (title, console) = try visit(
            """
            const shown = () => [...document.querySelectorAll("tr[data-v]")].filter((row) => !row.closest("[hidden]")).length;
            const text = document.getElementById("text");
            const type = (value) => { text.value = value; text.dispatchEvent(new Event("input")); };
            const key = (name) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
            const steps = [shown()];
            type("legacy test"); steps.push(shown());
            type("got eio"); steps.push(shown());
            key("Escape"); steps.push(shown(), text.value.length);
            key("f"); steps.push(shown());
            document.querySelector(".toggle.skipped").click(); steps.push(shown());
            key("Escape");
            // From the matrix's red group to the cell, from there to the evidence: two clicks.
            const group = document.querySelector(".heat .whole td:not(.h0) a");
            location.hash = group.hash;
            const cell = document.getElementById(group.hash.slice(1));
            steps.push(cell.tagName);
            cell.open = true;
            const failure = cell.querySelector("details.failure > summary");
            failure.click();
            const proof = cell.querySelector(".evidence pre");
            steps.push(proof.textContent.trim(), proof.getBoundingClientRect().height > 10);
            return steps;
            """)
        #expect(
            title
                == #"[19,5,1,19,0,1,4,"DETAILS","the proof of <b>it</b>",true]"#.replacing("<", with: "&lt;").replacing(
                    ">", with: "&gt;"))
        #expect(console == [])
    }

    @Test func keysLeadFromFailureToFailure() throws {
        let (title, console) = try visit(
            """
            const key = (name) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
            key("j");
            const open = document.querySelector("details.failure[open]");
            key("/");
            const focused = document.activeElement.id;
            document.getElementById("theme").click();
            return [open !== null, open && open.closest("details.cell").open, focused, document.documentElement.dataset.theme];
            """)
        #expect(title == #"[true,true,"text","dark"]"#)
        #expect(console == [])
    }

    /// Nothing but a table that scrolls by itself may be wider than a phone.
    @Test func aPhoneNeedsNoSidewaysScrolling() throws {
        let (title, _) = try visit(
            """
            for (const details of document.querySelectorAll("details")) details.open = true;
            const root = document.documentElement;
            return [root.scrollWidth <= root.clientWidth, document.querySelectorAll("svg").length > 0];
            """, width: 500)
        #expect(title == "[true,true]")
    }

    /// What a screen reader needs: a language, headings in order, names for everything that is not text.
    @Test func itCanBeReadAloud() throws {
        let (title, _) = try visit(
            """
            const nameless = [...document.querySelectorAll("svg, button, a, input")].filter((element) =>
                !(element.getAttribute("aria-label") || element.textContent.trim() || element.closest("label")));
            const levels = [...document.querySelectorAll("h1, h2, h3")].map((element) => Number(element.tagName[1]));
            return [document.documentElement.lang, nameless.length, levels[0], levels.every((l, i) => i === 0 || l <= levels[i - 1] + 1)];
            """)
        #expect(title == #"["en",0,1,true]"#)
    }
}
