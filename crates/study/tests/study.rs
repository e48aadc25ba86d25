//! Studies: cells share what they can without another result, and what is finished is kept.
#![cfg(feature = "embedded-weights")]

use std::ops::ControlFlow;
use std::path::Path;

use impasto_study::study::{Material, Study, StudyEvent, grid, style_reconstructions};
use impasto_style::picture::{Encoding, ReadOptions};
use impasto_style::{
    Cancel, Colours, Init, Network, Picture, PreparedNetwork, Preset, Size, Subject, TransferOptions,
    transfer, white_noise,
};

struct Scene {
    subject: Subject,
    network: Network,
    base: TransferOptions,
}

impl Scene {
    fn new() -> Self {
        Self {
            subject: Subject::new(white_noise(24, 32, 1).unwrap(), white_noise(32, 28, 2).unwrap()),
            network: Network::embedded().unwrap(),
            base: Preset::Paper.options().with_size(Size::Longest(32)).with_iterations(3),
        }
    }

    fn study(&self) -> Study {
        grid(&self.base, &["conv1_1", "conv2_1"].map(str::to_owned), &[1e-4, 1e-2])
    }

    /// Runs a study; the pictures, and how many of them were there already.
    fn run(&self, study: &Study, folder: &Path) -> (Vec<Picture>, usize) {
        let Self { subject, network, .. } = self;
        let material = Material { subject, network, inputs: &[], cancel: &Cancel::default() };
        let mut kept = 0;
        let pictures = study.run(material, folder, |event| {
            kept += usize::from(matches!(event, StudyEvent::Kept(_)));
            ControlFlow::Continue(())
        });
        (pictures.unwrap(), kept)
    }
}

#[test]
fn cells_that_share_targets_are_the_pictures_of_separate_transfers() {
    let scene = Scene::new();
    let (study, folder) = (scene.study(), tempfile::tempdir().unwrap());
    let (pictures, _) = scene.run(&study, folder.path());
    let network = PreparedNetwork::new(scene.network.clone(), &scene.base).unwrap();
    for (cell, picture) in study.cells.iter().zip(&pictures) {
        let alone = transfer(&network, &scene.subject, &cell.options, |_| ControlFlow::Continue(()));
        let file = folder.path().join("alone.png");
        alone.unwrap().picture.write(&file, Encoding::Png).unwrap();
        assert!(Picture::read(&file, &ReadOptions::default()).unwrap().picture == *picture, "{}", cell.name);
    }
}

#[test]
fn a_texture_of_several_paintings_is_their_blend_in_their_own_colours() {
    let mut scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let blank = Picture::new(24, 32, vec![0.0; 3 * 24 * 32]).unwrap();
    let paintings = [2, 3].map(|seed| white_noise(32, 28, seed).unwrap());
    scene.subject = Subject::blend(blank, paintings.to_vec()).unwrap();
    scene.base =
        scene.base.clone().with_blend(vec![1.0, 0.0]).with_colours(Colours::Photo).with_init(Init::Noise);
    let layers = ["conv1_1".to_owned()];
    let (of_first, _) = scene.run(&style_reconstructions(&scene.base, &layers), folder.path());
    scene.base.blend = vec![1.0, 1.0];
    let (of_both, _) = scene.run(&style_reconstructions(&scene.base, &layers), folder.path());
    assert!(of_first != of_both);
    scene.base.colours = Colours::Painting;
    let folder = tempfile::tempdir().unwrap();
    assert!(scene.run(&style_reconstructions(&scene.base, &layers), folder.path()).0 == of_both);
    scene.subject = Subject::new(scene.subject.photo().clone(), paintings[0].clone());
    scene.base.blend = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    assert!(scene.run(&style_reconstructions(&scene.base, &layers), folder.path()).0 == of_first);
}

#[test]
fn finished_cells_are_kept_whatever_memory_is_free() {
    let mut scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    scene.base.memory_limit = Some(2 << 30);
    let (first, kept) = scene.run(&scene.study(), folder.path());
    assert_eq!(kept, 0);
    scene.base.memory_limit = Some(3 << 30);
    let (second, kept) = scene.run(&scene.study(), folder.path());
    assert_eq!(kept, 4);
    assert!(first == second);
}

#[test]
fn another_start_is_painted_again() {
    let mut scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    for seed in [1, 2] {
        scene.base.init = Init::Picture(white_noise(24, 32, seed).unwrap());
        let (_, kept) = scene.run(&scene.study(), folder.path());
        assert_eq!(kept, 0, "seed {seed}");
    }
}

#[test]
fn a_start_from_a_file_is_known_by_its_pixels() {
    let mut scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let [first, copy, other] = ["first.png", "copy.png", "other.png"].map(|name| folder.path().join(name));
    white_noise(24, 32, 3).unwrap().write(&first, Encoding::Png).unwrap();
    std::fs::copy(&first, &copy).unwrap();
    white_noise(24, 32, 4).unwrap().write(&other, Encoding::Png).unwrap();
    for (path, expected) in [(first, 0), (copy, 4), (other, 0)] {
        scene.base.init = Init::File(path.clone());
        let (_, kept) = scene.run(&scene.study(), folder.path());
        assert_eq!(kept, expected, "{}", path.display());
    }
}

#[test]
fn a_start_that_cannot_be_read_stops_a_study_before_it_paints() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let mut study = scene.study();
    study.cells[3].options.init = Init::File("none.png".into());
    let Scene { subject, network, .. } = &scene;
    let material = Material { subject, network, inputs: &[], cancel: &Cancel::default() };
    let result = study.run(material, folder.path(), |_| ControlFlow::Continue(()));
    assert!(result.unwrap_err().to_string().contains("none.png"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_layer_that_the_network_does_not_have_is_refused_even_if_it_does_not_count() {
    let mut scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    scene.base.tv_weight = 1.0;
    let mut study = scene.study();
    study.cells[3].options.content_weight = 0.0;
    study.cells[3].options.content_layers = "conv9_9".parse().unwrap();
    let Scene { subject, network, .. } = &scene;
    let material = Material { subject, network, inputs: &[], cancel: &Cancel::default() };
    let refused = study.run(material, folder.path(), |_| ControlFlow::Continue(()));
    assert!(refused.unwrap_err().to_string().contains("has no layer conv9_9"));
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "before anything is painted");
}
