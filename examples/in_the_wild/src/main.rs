//! The gradients of operations of candle and burn, checked with impasto-proptest: what held, what did not, and the smallest case of each failure. Prints
//! the table of `docs/testing.md`; `cargo run` with a word checks the operations alone whose name has it.
#![forbid(unsafe_code)]

mod burn;
mod candle;
mod checked;

fn main() {
    // A library that refuses by a panic is no news on standard error.
    std::panic::set_hook(Box::new(|_| ()));
    let word = std::env::args().nth(1).unwrap_or_default();
    let mut failures = Vec::new();
    println!("| library | operation | its gradient |\n|---|---|---|");
    for checked in candle::all().into_iter().chain(burn::all()).filter(|checked| checked.name.contains(&word))
    {
        let outcome = checked.check();
        let details = outcome.details.replace('|', "\\|");
        let note = match outcome.word {
            "failed" => {
                failures.push(outcome.details);
                format!("**failed** ({})", failures.len())
            }
            word if details.is_empty() => word.to_owned(),
            "refused" => format!("refused: {details}"),
            word => format!("{word}; some shapes refused: {details}"),
        };
        println!("| {} | {} | {note} |", checked.library, checked.name);
    }
    for (number, failure) in failures.iter().enumerate() {
        println!("\n({})\n{failure}", number + 1);
    }
}
