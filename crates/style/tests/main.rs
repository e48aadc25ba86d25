//! Every test of the crate that needs no program of its own, in one program: it is linked once.

mod checkpoint;
mod colours;
mod events;
mod formats;
mod measuring;
mod memory;
mod nameless;
mod objective;
mod options;
mod painter;
mod pictures;
mod plain_objective;
mod provenance;
mod record;
mod regions;
mod saved_scene;
mod serialised;
mod table;
mod writing;
