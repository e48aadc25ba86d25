//! A transfer that a page moves on.

use impasto_style::{
    EvaluatorOptions, Init, Loss, LossKind, PreparedNetwork, Source, Subject, Tap, TransferOptions, View,
};
use wasm_bindgen::prelude::*;

use crate::json;
use crate::{Network, Picture};

/// A photo that is being painted in the style of a painting.
#[wasm_bindgen]
pub struct Painter {
    own: impasto_style::Painter,
    network: PreparedNetwork,
    memory_limit: Option<u64>,
}

#[wasm_bindgen]
impl Painter {
    /// A transfer that has not begun. `options` is a JSON object, such as `{"size": 128, "iterations": 100}`, of the names that the
    /// command line has. With `start` it begins there in place of where the option `init` says: so another one goes on with
    /// other losses from the picture of this.
    ///
    /// # Errors
    /// If there is no such option or value, or a picture is too small or too large.
    #[wasm_bindgen(constructor)]
    pub fn new(
        network: &Network,
        photo: &Picture,
        painting: &Picture,
        options: &str,
        start: Option<Picture>,
    ) -> Result<Self, JsError> {
        let mut options = json::options(options)?;
        if let Some(start) = start {
            options.init = Init::Picture(start.into_inner());
        }
        let laid = |picture: &Picture| laid(picture, &options);
        let subject = Subject::new(laid(photo), laid(painting)).shrunk(&options)?;
        let memory_limit = options.memory_limit;
        options.make_room_for(&subject);
        let network = PreparedNetwork::new(network.inner().clone(), &options)?;
        let own = impasto_style::Painter::new(network.clone(), subject, options)?;
        Ok(Self { own, network, memory_limit })
    }

    /// What is going to be done: `{width, height, iterations, scales: [{width, height, iterations}], bytes}`.
    ///
    /// # Errors
    /// None.
    pub fn plan(&self) -> Result<JsValue, JsError> {
        json::plan(self.own.summary())
    }

    /// Makes one iteration: `{iteration, scale, width, height, evaluations, seconds, loss, gradientNorm, step, terms: [{kind, layer,
    /// loss, weight, full}]}`, or `undefined` once all are made. `loss` of a term is as its equation has it; the total is the sum of
    /// weight times loss. `full` is what the options have it weigh, whatever [`Self::weigh`] has made of it.
    ///
    /// # Errors
    /// If the loss is not finite, or there is not the memory.
    pub fn step(&mut self) -> Result<JsValue, JsError> {
        let told = self.own.step()?.map(json::Told::from);
        told.map_or(Ok(JsValue::UNDEFINED), |told| told.object(self.own.weights()))
    }

    /// The losses that can be weighed: `[{kind, layer}]`, `kind` content, style or tv, `layer` null where it is of the picture
    /// itself.
    ///
    /// # Errors
    /// None.
    pub fn terms(&self) -> Result<JsValue, JsError> {
        json::terms(&self.own.terms())
    }

    /// Multiplies the weight that the options give to a loss with `factor` from the next iteration on: 0 switches it off, 1 on
    /// again. The next iteration begins anew from the picture that there is, with nothing learnt of the old function.
    ///
    /// # Errors
    /// If it is none of [`Self::terms`], or `factor` is negative or not finite.
    // JavaScript hands over texts that may be missing as values alone.
    #[allow(clippy::needless_pass_by_value)]
    pub fn weigh(&mut self, kind: &str, layer: Option<String>, factor: f64) -> Result<(), JsError> {
        let terms = self.own.terms();
        let kind = terms.iter().map(|term| term.kind).find(|own| own.name() == kind).ok_or_else(|| {
            let known: Vec<_> = terms.iter().map(|term| term.kind.name()).collect();
            JsError::new(&format!("there is no loss {kind} here, but {}", known.join(", ")))
        })?;
        Ok(self.own.weigh(kind, layer.as_deref(), factor)?)
    }

    /// The best picture so far, at the size of the last iteration.
    ///
    /// # Errors
    /// If no iteration was made yet.
    pub fn picture(&mut self) -> Result<Picture, JsError> {
        Ok(Picture::of(self.own.painting()?.picture))
    }

    /// The Gram matrix of a picture at a layer, over the number of positions: N x N numbers, row by row.
    ///
    /// # Errors
    /// If the layer is none, or lies behind the deepest one that the options use, or the picture is too small for it.
    pub fn gram(&self, picture: &Picture, layer: &str) -> Result<Vec<f32>, JsError> {
        self.gram_of(picture.inner(), layer)
    }

    /// The Gram matrix of the painting at a layer, at the size that the painting has beside the picture of the last iteration: what that
    /// of the picture is to become.
    ///
    /// # Errors
    /// As [`Self::gram`].
    #[wasm_bindgen(js_name = gramOfPainting)]
    pub fn gram_of_painting(&self, layer: &str) -> Result<Vec<f32>, JsError> {
        let scene = self.own.scene()?;
        // Exactly one, as the constructor takes it.
        scene.paintings().next().map_or_else(|| Ok(Vec::new()), |painting| self.gram_of(painting, layer))
    }
}

impl Painter {
    fn gram_of(&self, picture: &impasto_style::Picture, layer: &str) -> Result<Vec<f32>, JsError> {
        let taps = [Tap::new(layer, LossKind::Gram)];
        let view = View { source: Source::Painting(0), picture, taps: &taps, guides: &[] };
        let losses = self.network.measure(view, EvaluatorOptions { memory_limit: self.memory_limit })?;
        Ok(losses
            .into_iter()
            .find_map(|loss| match loss {
                Loss::Gram(style) => Some(style.target.data),
                _ => None,
            })
            .unwrap_or_default())
    }
}

/// A picture with its alpha, or laid on the colour that the options say.
fn laid(picture: &Picture, options: &TransferOptions) -> impasto_style::Picture {
    let picture = picture.inner().clone();
    match options.background {
        Some(colour) => picture.on(colour),
        None => picture,
    }
}
