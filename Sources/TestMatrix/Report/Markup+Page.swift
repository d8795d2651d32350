extension Markup {
    /// A whole page, which fetches nothing, whatever a test's message says.
    ///
    /// - Parameters:
    ///   - style: beside the one that all pages have.
    ///   - runsScripts: those that are in `body`.
    static func page(
        _ title: String, style: [UInt8] = [], runsScripts: Bool = false, _ body: Markup
    ) -> Markup {
        let scripts = runsScripts ? " script-src 'unsafe-inline';" : ""
        let policy = "default-src 'none'; style-src 'unsafe-inline';\(scripts) img-src data:"
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <link rel="icon" href="data:,">
            <title>\(title)</title>
            <style>\(resource: PackageResources.report_css)\(resource: style)</style>
            </head>
            <body>
            \(body)
            </body>
            </html>

            """
    }
}
