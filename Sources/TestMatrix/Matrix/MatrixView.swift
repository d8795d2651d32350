/// Shows a matrix while it runs.
public protocol MatrixView: AnyObject {
    /// Something has happened, and this is how it stands now.
    func show(_ event: MatrixEvent, _ progress: MatrixProgress)
    /// Some time has passed.
    func tick(_ progress: MatrixProgress)
    /// Gives the terminal back.
    func close()
}
