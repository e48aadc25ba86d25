//! The same options with another value: a method for each field, as other crates cannot name all of them.

use impasto_autodiff::{Border, ConvMode, Pooling, Reach};

use super::{
    Colours, Each, Effort, Init, Iterations, LayerWeights, LossScale, Optimiser, Scales, Size, StyleLoss,
    TransferOptions, TvPoints,
};

/// `name field: type` makes a method that takes any value that becomes one of that type; `name field = type` one that takes
/// just that type, so that a text can be parsed into it.
macro_rules! with {
    ($($name:ident $field:ident $(: $into:ty)? $(= $exact:ty)?;)+) => {
        /// The same options with one other value. It is checked where the options are used, or by [`Self::validate`].
        ///
        /// ```
        /// use impasto_style::TransferOptions;
        /// let options = TransferOptions::default()
        ///     .with_size(800)
        ///     .with_style_weight(2.0)
        ///     .with_style_layers("conv1_1,conv2_1,conv3_1".parse()?);
        /// assert_eq!(options.size, 800.into());
        /// # Ok::<(), impasto_style::OptionsError>(())
        /// ```
        impl TransferOptions {
            $(
                #[doc = concat!("The same options with this [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $name(mut self, $field: $(impl Into<$into>)? $($exact)?) -> Self {
                    self.$field = with!(@value $field $(: $into)?);
                    self
                }
            )+
        }
    };
    (@value $field:ident : $into:ty) => { $field.into() };
    (@value $field:ident) => { $field };
}

with! {
    with_size size: Size;
    with_background background = Option<[u8; 3]>;
    with_effort effort = Effort;
    with_iterations iterations: Iterations;
    with_scales scales = Scales;
    with_scale_factor scale_factor = f64;
    with_smallest_scale smallest_scale = usize;
    with_content_weight content_weight = f64;
    with_style_weight style_weight = f64;
    with_tv_weight tv_weight = f64;
    with_tv_points tv_points = TvPoints;
    with_content_layers content_layers = LayerWeights;
    with_style_loss style_loss = StyleLoss;
    with_style_layers style_layers = Each<LayerWeights>;
    with_blend blend = Vec<f64>;
    with_loss_scale loss_scale = LossScale;
    with_pooling pooling = Pooling;
    with_border border = Border;
    with_init init = Init;
    with_seed seed = u64;
    with_optimiser optimiser = Optimiser;
    with_colours colours = Colours;
    with_style_scale style_scale: Each<f64>;
    with_mask_reach mask_reach = Reach;
    with_conv conv = ConvMode;
    with_memory_limit memory_limit: Option<u64>;
}
