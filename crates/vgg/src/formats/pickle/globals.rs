//! The classes and functions that a pickle may name.

/// Classes and functions that weight files mention, as module and name. What they mean is decided by who reads the graph.
const ALLOWED: [(&str, &str); 30] = [
    ("_codecs", "encode"),
    ("collections", "OrderedDict"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("torch", "BFloat16Storage"),
    ("torch", "BoolStorage"),
    ("torch", "ByteStorage"),
    ("torch", "CharStorage"),
    ("torch", "DoubleStorage"),
    ("torch", "FloatStorage"),
    ("torch", "HalfStorage"),
    ("torch", "IntStorage"),
    ("torch", "LongStorage"),
    ("torch", "ShortStorage"),
    ("torch.cuda", "BFloat16Storage"),
    ("torch.cuda", "BoolStorage"),
    ("torch.cuda", "ByteStorage"),
    ("torch.cuda", "CharStorage"),
    ("torch.cuda", "DoubleStorage"),
    ("torch.cuda", "FloatStorage"),
    ("torch.cuda", "HalfStorage"),
    ("torch.cuda", "IntStorage"),
    ("torch.cuda", "LongStorage"),
    ("torch.cuda", "ShortStorage"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch._utils", "_rebuild_tensor"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch.nn.parameter", "Parameter"),
];

/// The known global of that name, or what to say of one that is not on the list.
pub(super) fn find(module: &str, name: &str) -> Result<(&'static str, &'static str), String> {
    // Python 2's name of the same module.
    let module = if module == "copy_reg" { "copyreg" } else { module };
    ALLOWED.iter().find(|known| **known == (module, name)).copied().ok_or_else(|| {
        let whole_model = ["torch.nn.", "torchvision.", "__main__"];
        let hint = if whole_model.iter().any(|prefix| module.starts_with(prefix)) {
            "; it holds a whole model: save its state_dict() instead"
        } else {
            ""
        };
        format!("it asks for {module}.{name}, which weights do not need, and nothing in it was run{hint}")
    })
}
