//! How a line search came to the point that was accepted: for those who watch.

/// The line search of an accepted iteration, along phi(t) = f(x + t d).
///
/// A point is accepted where both strong Wolfe conditions hold, or it is the best step that the search had to settle for:
///
/// ```text
/// phi(t) <= phi(0) + c1 t phi'(0)      sufficient decrease
/// |phi'(t)| <= c2 |phi'(0)|            curvature
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// t, the step along d.
    pub step: f64,
    /// Evaluations of the iteration's searches, the accepted one among them.
    pub trials: usize,
    /// phi(0), the loss before.
    pub loss_before: f64,
    /// phi(t), the loss after.
    pub loss: f64,
    /// phi'(0) = g·d, below 0.
    pub slope_before: f64,
    /// phi'(t).
    pub slope: f64,
    /// c1.
    pub sufficient_decrease: f64,
    /// c2.
    pub curvature: f64,
    /// Whether d is -g: at the first iteration, and where the search along -H g found nothing.
    pub steepest: bool,
    /// The entry of H0 = gamma D of each group of variables ([`Groups`](crate::Groups)); 1 without a pair.
    pub scales: Vec<f64>,
}

impl Search {
    /// phi(0) + c1 t phi'(0) - phi(t): by how much more the loss fell than it had to. Below 0 the condition does not hold.
    pub fn decrease_margin(&self) -> f64 {
        self.loss_before + self.sufficient_decrease * self.step * self.slope_before - self.loss
    }

    /// c2 - |phi'(t) / phi'(0)|: by how much flatter it became than it had to. Below 0 the condition does not hold.
    pub fn curvature_margin(&self) -> f64 {
        self.curvature - (self.slope / self.slope_before).abs()
    }
}
