//! The terms of a dump: what each compares, its loss, and the gradient of that loss alone.

use impasto_autodiff::losses::PlainRoots;
use impasto_autodiff::{AutodiffError, LossKind, Moments};
use impasto_style::{
    Guide, Loss, PreparedNetwork, Target, Targets, TermLoss, TransferError, TransferOptions,
};
use impasto_tensor::{Shape, Tensor};

use super::folder::{About, Folder, Of};
use super::manifest::{Share, TermEntry};
use super::{DumpError, RESPONSE};

/// The terms of a run, with what the manifest says of them.
pub(super) struct Terms<'a> {
    targets: &'a [Target],
    names: Vec<String>,
    /// The response's shape, or the picture's own.
    shapes: Vec<Shape>,
    scales: Vec<f64>,
}

/// The name of a kind of loss in a manifest: each has its own.
const fn kind_name(kind: LossKind) -> &'static str {
    match kind {
        LossKind::Content => "content",
        LossKind::Gram => "gram",
        LossKind::Wasserstein => "wasserstein",
        LossKind::TotalVariation => "tv",
        LossKind::NinePoints => "tv9",
        _ => "other",
    }
}

const fn equation(kind: LossKind) -> &'static str {
    match kind {
        LossKind::Content => "L_content = 1/2 sum_pi t_p (F_pi - P_pi)^2, t = 1 without a mask",
        LossKind::Gram => "E_l = 1/(4 N^2) sum_ij (G_ij - A_ij)^2, G = F^T F / M, or sum_p t_p F_p^T F_p / S",
        LossKind::Wasserstein => "W_l, the distance of Gaussians of docs/math.md, section 21",
        LossKind::TotalVariation => "TV = 1/2 sum over neighbours and channels of (x_p - x_q)^2",
        LossKind::NinePoints => "TV on nine points of docs/math.md, section 9",
        _ => "",
    }
}

impl<'a> Terms<'a> {
    pub(super) fn new(
        targets: &'a Targets,
        options: &TransferOptions,
        network: &PreparedNetwork,
        (height, width): (usize, usize),
    ) -> Result<Self, TransferError> {
        let targets = &targets.terms[..];
        let (mut names, mut shapes, mut scales) = (Vec::new(), Vec::new(), Vec::new());
        for Target { spec, .. } in targets {
            let place = spec.layer.as_deref().unwrap_or("picture");
            let region = spec.region.map_or_else(String::new, |region| format!(".{}", region + 1));
            names.push(format!("{place}.{}{region}", spec.kind.name()));
            let shape = match &spec.layer {
                Some(layer) => network.response_shape(layer, (height, width))?,
                None => Shape::new(height, width, 3),
            };
            shapes.push(shape);
            scales.push(options.loss_scale.factor(spec.kind, height * width, shape));
        }
        Ok(Self { targets, names, shapes, scales })
    }

    /// What the terms of a layer compare F with, and their own gradients.
    pub(super) fn put(&self, folder: &mut Folder, layer: &str, f: &Tensor<f64>) -> Result<(), DumpError> {
        let is_here = |target: &Target| target.spec.layer.as_deref() == Some(layer);
        for (target, name) in self.targets.iter().zip(&self.names).filter(|(target, _)| is_here(target)) {
            put_term(folder, Of { layer: Some(layer), term: Some(name), painting: None }, target, f)?;
        }
        Ok(())
    }

    /// The gradients of losses of the picture itself.
    pub(super) fn put_of_picture(
        &self,
        folder: &mut Folder,
        x: &[f64],
        (height, width): (usize, usize),
    ) -> Result<(), DumpError> {
        let of_picture =
            self.targets.iter().zip(&self.names).filter(|(target, _)| target.spec.layer.is_none());
        for (target, name) in of_picture {
            let picture =
                Tensor::from_vec(Shape::new(height, width, 3), x.to_vec()).map_err(AutodiffError::from)?;
            let mut gradient = vec![0.0; x.len()];
            target.loss.cast::<f64>().add_gradient(&picture, 1.0, &mut gradient)?;
            let of = Of { term: Some(name), ..Of::default() };
            let equation = "dTV/dx, of this loss alone, unweighted";
            let about = About { symbol: "dl_dx", unit: "loss per grey level", equation };
            folder.put(of, &about, &[height, width, 3], &gradient)?;
        }
        Ok(())
    }

    /// What the manifest says of them, with their losses on both paths.
    pub(super) fn entries(&self, plain: &[TermLoss], engine: &[TermLoss]) -> Vec<TermEntry> {
        let each = self.targets.iter().zip(&self.names).zip(self.shapes.iter().zip(&self.scales));
        let entry = |(((target, name), (shape, &scale)), (plain, engine)): (_, (&TermLoss, &TermLoss))| {
            let (target, name, shape): (&Target, &String, &Shape) = (target, name, shape);
            let spec = &target.spec;
            let share = target.loss.guide().filter(|_| spec.kind.is_of_sums()).map_or(1.0, Guide::share);
            let of_layer = |value| spec.layer.is_some().then_some(value);
            TermEntry {
                name: name.clone(),
                kind: kind_name(spec.kind),
                layer: spec.layer.clone(),
                region: target.region.clone(),
                equation: equation(spec.kind),
                loss: plain.loss,
                loss_of_engine: engine.loss,
                weight: plain.weight.product(),
                alpha: spec.weight.sum,
                layer_weight: spec.weight.share,
                scale,
                region_share: share,
                filters: of_layer(shape.channels),
                positions: of_layer(shape.positions()),
                blend: spec
                    .paintings
                    .iter()
                    .map(|&(painting, share)| Share { painting: painting + 1, share })
                    .collect(),
            }
        };
        each.zip(plain.iter().zip(engine)).map(entry).collect()
    }
}

/// What a term compares F with, and dl/dF.
fn put_term(folder: &mut Folder, of: Of<'_>, target: &Target, f: &Tensor<f64>) -> Result<(), DumpError> {
    let shape = f.shape();
    let (response, n) = ([shape.height, shape.width, shape.channels], shape.channels);
    let mut loss: Loss<f64> = target.loss.cast();
    loss.prepare(&mut PlainRoots).map_err(AutodiffError::from)?;
    if let Some(guide) = loss.guide() {
        let about = About { symbol: "t", unit: "1", equation: "t_p, what each position counts, 0 to 1" };
        folder.put(of, &about, &response[..2], guide.weights())?;
    }
    if target.spec.kind.is_of_sums() {
        let moments = Moments::of(f, loss.guide()).map_err(AutodiffError::from)?;
        let equation = "G/M = F^T F / M, or sum_p t_p F_p^T F_p / sum_p t_p";
        folder.put(
            of,
            &About { symbol: "G", unit: "response^2", equation },
            &[n, n],
            &moments.second.data,
        )?;
        if target.spec.kind.is_of_means() {
            let about = About { symbol: "mu", unit: "response", equation: "mu = 1/S sum_p t_p F_p" };
            folder.put(of, &about, &[n], &moments.mean)?;
        }
    }
    let mut equation = "dl/dF of this loss alone, unweighted";
    match &loss {
        Loss::Content(content) => {
            let about = About { symbol: "P", unit: RESPONSE, equation: "P, the photo's response" };
            folder.put(of, &about, &response, content.target.data())?;
            equation = "dL_content/dF = t_p (F - P)";
        }
        Loss::Gram(style) => {
            put_target(folder, of, n, &style.target.data)?;
            equation = "dE_l/dF = t_p F (G - A) / (N^2 S), S = M without a mask";
        }
        Loss::Wasserstein(wasserstein) => {
            put_target(folder, of, n, &wasserstein.target.second.data)?;
            let about = About { symbol: "mu_a", unit: "response", equation: "mu_a = sum_s share_s mu_s" };
            folder.put(of, &about, &[n], &wasserstein.target.mean)?;
            equation = "dW_l/dF = 2 t_p / (N S) [ (F_p - mu) (I - T) + mu - mu_a ]";
        }
        _ => {}
    }
    let mut gradient = vec![0.0; shape.len()];
    loss.add_gradient(f, 1.0, &mut gradient)?;
    folder.put(of, &About { symbol: "dl_dF", unit: "loss per response", equation }, &response, &gradient)
}

fn put_target(folder: &mut Folder, of: Of<'_>, n: usize, data: &[f64]) -> Result<(), DumpError> {
    let equation = "A/M_a = sum_s share_s A_s, what G/M is compared with";
    folder.put(of, &About { symbol: "A", unit: "response^2", equation }, &[n, n], data)
}
