//! Which coordinate makes a direction fail.

use impasto_autodiff::check::Direction;

use crate::failure::{Failure, Property};
use crate::gradient::{Claim, Look, Outcome};

/// With no more coordinates than this, each is looked at; with more, half of them are left out again and again.
const EACH: usize = 1024;
/// The most coordinates that a note lists.
const LISTED: usize = 8;

/// The failure at the coordinate that is most wrong, after the direction `failed`; none if no coordinate is wrong and one is at a kink: there
/// several kinks at once can carry the slope of a direction outside what each allows, and nothing can be said.
pub(crate) fn locate(claim: &Claim<'_>, failed: &Look) -> Option<Failure> {
    if claim.x.len() > EACH { by_halves(claim, failed) } else { one_by_one(claim, failed) }
}

/// Every coordinate is looked at.
fn one_by_one(claim: &Claim<'_>, failed: &Look) -> Option<Failure> {
    let looks: Vec<Look> = (0..claim.x.len()).map(|at| claim.coordinate(at)).collect();
    let wrong: Vec<usize> = (0..looks.len()).filter(|&at| looks[at].outcome == Outcome::Fail).collect();
    let off = |at: usize| looks[at].difference();
    let Some(worst) = wrong.iter().copied().reduce(|worst, at| if off(at) > off(worst) { at } else { worst })
    else {
        let is_kinky = looks.iter().any(|look| look.outcome == Outcome::Kink);
        return (!is_kinky).then(|| along(claim, failed));
    };
    let listed: Vec<String> = wrong.iter().take(LISTED).map(usize::to_string).collect();
    let more = if wrong.len() > LISTED { ", ..." } else { "" };
    let mut failure = at_coordinate(claim, worst, &looks[worst]);
    if looks.len() > 1 {
        let (count, all) = (wrong.len(), looks.len());
        failure =
            failure.note(format!("{count} of {all} coordinates are wrong: {}{more}", listed.join(", ")));
    }
    let wrong: Vec<&Look> = wrong.iter().map(|&at| &looks[at]).collect();
    match pattern(&wrong, claim.tolerance) {
        Some(pattern) => Some(failure.note(pattern)),
        None => Some(failure),
    }
}

/// What all wrong coordinates have in common: a mask that is missing, a factor, a sign.
fn pattern(wrong: &[&Look], tolerance: f64) -> Option<String> {
    if wrong.iter().all(|look| look.claimed == 0.0) {
        return Some("every wrong coordinate is 0".to_owned());
    }
    if wrong.iter().all(|look| look.measured.abs() <= tolerance * look.scale) {
        return Some("every wrong coordinate should be 0".to_owned());
    }
    let ratio = wrong[0].claimed / wrong[0].measured;
    let agrees = |look: &Look| (look.claimed - ratio * look.measured).abs() <= 1e-5 * look.claimed.abs();
    let ratio = (ratio * 1e6).round() / 1e6;
    // Of a single coordinate any ratio is one; only those that are made by forgetting something tell anything.
    let tells = wrong.len() > 1 || [-2.0, -1.0, -0.5, 0.25, 0.5, 2.0, 4.0].contains(&ratio);
    (tells && wrong.iter().all(|look| agrees(look)))
        .then(|| format!("every wrong coordinate is {ratio} times what it should be"))
}

/// Half of the coordinates is left out again and again: that half along whose direction the slopes differ less.
fn by_halves(claim: &Claim<'_>, failed: &Look) -> Option<Failure> {
    let (mut start, mut end) = (0, claim.x.len());
    let part = |start: usize, end: usize| {
        let mut lengths = vec![0.0; claim.x.len()];
        lengths[start..end].fill(1.0);
        claim.look(&lengths, Direction::Random(1)).difference()
    };
    while end - start > 1 {
        let middle = usize::midpoint(start, end);
        if part(start, middle) >= part(middle, end) {
            end = middle;
        } else {
            start = middle;
        }
    }
    let look = claim.coordinate(start);
    match look.outcome {
        Outcome::Fail => {
            Some(at_coordinate(claim, start, &look).note("found by halves: others may be wrong as well"))
        }
        Outcome::Kink => None,
        Outcome::Pass | Outcome::Unclear => Some(along(claim, failed)),
    }
}

fn at_coordinate(claim: &Claim<'_>, at: usize, look: &Look) -> Failure {
    along(claim, look).at(at)
}

fn along(claim: &Claim<'_>, look: &Look) -> Failure {
    let numbers = [look.claimed, look.measured];
    Failure::of(Property::Gradient, claim.x.len(), numbers, look.scale, claim.tolerance)
}
