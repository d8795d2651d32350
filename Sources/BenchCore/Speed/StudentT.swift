import Glibc

/// Student's t distribution: how far a few samples may stray.
enum StudentT {
    /// The probability of a value up to `t`, by the finite series for whole degrees of freedom.
    static func probability(upTo t: Double, freedom: Int) -> Double {
        let angle = atan(abs(t) / Double(freedom).squareRoot())
        let cosine = cos(angle)
        var term = freedom % 2 == 1 ? cosine : 1
        var sum = freedom == 1 ? 0 : term
        var step = freedom % 2 == 1 ? 3 : 2
        while step < freedom {
            term *= cosine * cosine * Double(step - 1) / Double(step)
            sum += term
            step += 2
        }
        let inside = freedom % 2 == 1 ? (angle + sin(angle) * sum) * 2 / .pi : sin(angle) * sum
        return t < 0 ? (1 - inside) / 2 : (1 + inside) / 2
    }

    /// The value that is exceeded with this probability, which is below one half.
    static func quantile(exceededBy probability: Double, freedom: Int) -> Double {
        var (low, high) = (0.0, 1e6)
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if 1 - self.probability(upTo: middle, freedom: freedom) > probability {
                low = middle
            } else {
                high = middle
            }
        }
        return (low + high) / 2
    }
}
