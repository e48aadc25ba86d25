use impasto_style::{Colours, OPTIONS, Preset, TransferOptions};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // From a preset, by a method for each field.
    let options = Preset::Paper
        .options()
        .with_size(800)
        .with_style_layers("conv1_1:1,conv2_1:0.5".parse()?)
        .with_colours(Colours::Photo);

    // As text: the names and values of the command line. What is not said is that of the preset.
    let json =
        r#"{ "preset": "paper", "size": 800, "style-layers": "conv1_1:1,conv2_1:0.5", "colours": "photo" }"#;
    assert_eq!(serde_json::from_str::<TransferOptions>(json)?, options);
    println!("{}", serde_json::to_string_pretty(&options)?);

    // What there is, and what it does.
    for row in OPTIONS {
        println!("{} ({}): {}", row.name, row.requirement(), row.help);
    }
    let misspelt = serde_json::from_str::<TransferOptions>(r#"{ "sizee": 800 }"#);
    println!("{}", misspelt.expect_err("there is no such option")); // there is no option sizee; did you mean size?
    Ok(())
}
