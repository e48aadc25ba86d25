//! Whether a run would go on as the one that a checkpoint is of.

use std::collections::BTreeSet;

use impasto_tensor::Isa;

use super::{Difference, Header};
use crate::{Record, Role};

/// The option that may differ: a run may go on for longer than was first asked for.
const FREE: &str = "iterations";

/// The first difference that matters for pixels.
pub(super) fn difference(header: &Header, ours: &Record) -> Option<Difference> {
    let theirs = &header.record;
    if theirs.impasto != ours.impasto {
        let [theirs, ours] = [theirs, ours].map(|record| record.impasto.clone());
        return Some(Difference::Program { theirs, ours });
    }
    let current = Isa::current().name();
    if header.instruction_set != current {
        let theirs = header.instruction_set.clone();
        return Some(Difference::InstructionSet { theirs, ours: current.to_owned() });
    }
    differing_option(theirs, ours).or_else(|| differing_input(theirs, ours))
}

fn differing_option(theirs: &Record, ours: &Record) -> Option<Difference> {
    // A start that is an input is known by its pixels, not by the name that the option has for it.
    let has_start = |record: &Record| record.inputs.iter().any(|input| input.role == Role::Init);
    let named_start = !(has_start(theirs) && has_start(ours));
    let names: BTreeSet<&String> = theirs.options.keys().chain(ours.options.keys()).collect();
    let mut counting = names.into_iter().filter(|name| *name != FREE && (named_start || *name != "init"));
    let name = counting.find(|name| theirs.options.get(*name) != ours.options.get(*name))?;
    let [theirs, ours] = [theirs, ours].map(|record| record.options.get(name).map(ToString::to_string));
    Some(Difference::Option { name: name.clone(), theirs, ours })
}

fn differing_input(theirs: &Record, ours: &Record) -> Option<Difference> {
    for (role, _) in Role::ALL {
        let [theirs, ours] = [theirs, ours].map(|record| record.inputs_of(role).count());
        if theirs != ours {
            return Some(Difference::Inputs { role, theirs, ours });
        }
    }
    let mut pairs = theirs.inputs.iter().zip(&ours.inputs);
    let (_, ours) = pairs.find(|(a, b)| a.role != b.role || a.sha256 != b.sha256)?;
    Some(Difference::Input { role: ours.role, path: ours.path.clone() })
}
