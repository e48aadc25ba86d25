//! Minimisation of smooth functions of many variables: L-BFGS with a strong Wolfe line search, and Adam.
#![forbid(unsafe_code)]
