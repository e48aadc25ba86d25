//! Where numbers and pages come from: the command, and what it read.

use impasto_files::quoted_word;
use impasto_style::Input;

/// What a page or a folder of numbers was made by and from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin {
    /// The command line, word by word; empty where there was none.
    pub command: Vec<String>,
    /// What was read, with its SHA-256: the photo, the paintings, masks, the network.
    pub inputs: Vec<Input>,
    /// Options that could be given and have no effect on what was asked for: these are not listed as in force.
    pub without_effect: Vec<String>,
}

impl Origin {
    /// The command line as a shell would read it: words with anything but letters, digits and `-_=.,:/+@%` stand between quotes.
    pub fn shell(&self) -> String {
        let words = self.command.iter().map(|word| quoted_word(word, "-_=.,:/+@%"));
        words.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_same_words() {
        let command = ["impasto", "my photo.jpg", "it's", "", "--blend", "3,1"].map(str::to_owned).to_vec();
        let origin = Origin { command, ..Origin::default() };
        assert_eq!(origin.shell(), r"impasto 'my photo.jpg' 'it'\''s' '' --blend 3,1");
    }
}
