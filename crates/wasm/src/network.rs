//! The weights of a VGG.

use impasto_vgg::{LoadOptions, Loaded, WeightsError};
use wasm_bindgen::prelude::*;

/// A VGG network: what a page fetches once.
#[wasm_bindgen]
pub struct Network(impasto_style::Network);

#[wasm_bindgen]
impl Network {
    /// The network of a weight file, which `name` stands for in messages. Any of impasto's formats will do, and a file of its own may
    /// end with the last layer in use.
    ///
    /// # Errors
    /// If it is no complete VGG-16 or VGG-19.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Vec<u8>, name: &str) -> Result<Self, JsError> {
        let loaded = Loaded::from_bytes(bytes, LoadOptions::default());
        let loaded = loaded.map_err(|problem| WeightsError::File { path: name.into(), problem })?;
        Ok(Self(loaded.network))
    }

    /// The names of its layers, `conv1_1` first.
    #[wasm_bindgen(getter)]
    pub fn layers(&self) -> Vec<String> {
        self.0.convs.iter().map(|conv| conv.name.clone()).collect()
    }

    pub(crate) const fn inner(&self) -> &impasto_style::Network {
        &self.0
    }
}
