//! What an assertion says when it fails.

use std::fmt;

use crate::number::{place, readable};

/// Which property did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Property {
    /// A gradient is what central differences say.
    Gradient,
    /// `<A x, y> = <x, A' y>`.
    Adjoint,
    /// The fast version of the forward pass gives what the plain one gives.
    TwinForward,
    /// The fast version of the backward pass gives what the plain one gives.
    TwinBackward,
    /// Fast gives what plain gives.
    Twin,
    /// The same bits on any number of threads.
    SameBits,
    /// A gradient is added to what is there.
    Accumulates,
    /// The same call gives the same bits, whatever was called in between.
    Repeats,
    /// There is a number for every coordinate.
    Length,
    /// Values and gradients are numbers.
    Finite,
}

impl Property {
    /// The sentence that a failure begins with.
    fn broken(self) -> &'static str {
        match self {
            Self::Gradient => "the gradient is wrong",
            Self::Adjoint => "backward is not the adjoint of forward",
            Self::TwinForward => "fast and plain forward differ",
            Self::TwinBackward => "fast and plain backward differ",
            Self::Twin => "fast and plain differ",
            Self::SameBits => "the number of threads changes the bits",
            Self::Accumulates => "the gradient is not added to what is there",
            Self::Repeats => "an earlier call changes the result",
            Self::Length => "the length is wrong",
            Self::Finite => "there is no finite number",
        }
    }
}

/// The operation that was tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// The sides of the array that the coordinate belongs to; empty if they are not known.
    pub shape: Vec<usize>,
}

/// A property that did not hold: where, by how much, with which seed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct Failure {
    /// What was tested, if it has a name.
    pub operation: Option<Box<Named>>,
    /// What did not hold.
    pub property: Property,
    /// The coordinate where it is worst, if there is one.
    pub coordinate: Option<usize>,
    /// How many coordinates there are.
    pub len: usize,
    /// What was found there.
    pub got: f64,
    /// What should be there; NaN if any finite number would do.
    pub expected: f64,
    /// |got - expected| in parts of a typical slope, of a gradient; else of the largest number that was compared.
    pub error: f64,
    /// The error that is allowed.
    pub allowed: f64,
    /// The seed of directions and weights, if the property has any.
    pub seed: Option<u64>,
    /// What else is known: one sentence each.
    pub notes: Vec<String>,
}

impl Failure {
    /// Two numbers that should be equal, and by how much they differ in parts of `scale`.
    pub(crate) fn of(
        property: Property,
        len: usize,
        [got, expected]: [f64; 2],
        scale: f64,
        allowed: f64,
    ) -> Self {
        let difference = (got - expected).abs();
        let error = if difference == 0.0 { 0.0 } else { difference / scale };
        Self {
            operation: None,
            property,
            coordinate: None,
            len,
            got,
            expected,
            error,
            allowed,
            seed: None,
            notes: Vec::new(),
        }
    }

    /// At this coordinate.
    pub(crate) fn at(self, coordinate: usize) -> Self {
        Self { coordinate: Some(coordinate), ..self }
    }

    /// With this seed.
    pub(crate) fn seeded(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// And this is known too.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same failure of an operation that has a name, and a shape for its coordinates.
    #[must_use]
    pub fn of_operation(self, name: &str, shape: &[usize]) -> Self {
        let named = Named { name: name.to_owned(), shape: shape.to_vec() };
        Self { operation: Some(Box::new(named)), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = self.operation.as_ref().map_or(&[][..], |operation| &operation.shape);
        if let Some(operation) = &self.operation {
            write!(f, "{}: ", operation.name)?;
        }
        f.write_str(self.property.broken())?;
        if let Some(coordinate) = self.coordinate {
            write!(f, " at {}", place(coordinate, self.len, shape))?;
        }
        let got = readable(self.got);
        let expected = match self.property {
            Property::Finite => "a finite number".to_owned(),
            _ => readable(self.expected),
        };
        write!(f, "\n  it is         {got}\n  it should be  {expected}")?;
        if self.property != Property::Length && self.property != Property::Finite {
            let difference = readable((self.got - self.expected).abs());
            let (error, allowed) = (self.error, self.allowed);
            let unit =
                if self.property == Property::Gradient { "a typical slope" } else { "the largest number" };
            write!(f, "\n  off by        {difference}, ")?;
            // Nothing is a part of 0.
            if error.is_infinite() && self.got.is_finite() && self.expected.is_finite() {
                write!(f, "where all that is right is 0")?;
            } else {
                write!(f, "which is {error:.1e} of {unit}; {allowed:.1e} is allowed")?;
            }
        }
        if let Some(seed) = self.seed {
            write!(f, "\n  seed          {seed}")?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\n  note          {note}"))
    }
}
