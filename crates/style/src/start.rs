//! The picture that a transfer starts from.

use crate::colour::{ColourMap, Statistics, Weighted};
use crate::noise::{mean_noise, white_noise};
use crate::options::Transport;
use crate::{Init, Picture, PreparedNetwork, Scene, TransferError, TransferOptions};

/// The start of a transfer of a scene, at the size of its photo, as [`Init`] says.
///
/// # Errors
/// [`TransferError::Picture`] if a file cannot be read, or there is not the memory.
pub fn first_picture(
    scene: &Scene<'_>,
    network: &PreparedNetwork,
    options: &TransferOptions,
) -> Result<Picture, TransferError> {
    let (height, width) = (scene.photo().height(), scene.photo().width());
    Ok(match &options.init {
        Init::Content => scene.photo().clone(),
        Init::Matched => matched(scene, options),
        Init::Noise => white_noise(height, width, options.seed)?,
        Init::MeanNoise => mean_noise(height, width, options.seed, network.mean_colour())?,
        Init::File(path) => Picture::read(path, &options.reading(0))?.picture.resized(height, width)?,
        Init::Picture(picture) => picture.resized(height, width)?,
    })
}

/// The photo in the paintings' colours: x = photo + sum_r t_r (map_r(photo) - photo). t_r is the mask of region r, and map_r brings
/// the mean and the covariance of the photo there to those of the region's paintings, mixed by their shares.
fn matched(scene: &Scene<'_>, options: &TransferOptions) -> Picture {
    let photo = scene.photo();
    let mut matched = photo.clone();
    for (region, mask) in scene.regions().enumerate() {
        let weights = mask.map(crate::Mask::values);
        let own = Statistics::of(Weighted { picture: photo, weights });
        let (Some(own), Some(theirs)) = (own, statistics_of_paintings(scene, region, options)) else {
            continue;
        };
        let map = ColourMap::between(Transport::MongeKantorovich, &own, &theirs);
        let pixels =
            matched.data_mut().as_chunks_mut::<3>().0.iter_mut().zip(photo.data().as_chunks::<3>().0);
        for (index, (pixel, photo)) in pixels.enumerate() {
            let mapped = map.apply(*photo);
            match weights {
                None => *pixel = mapped,
                Some(weights) => {
                    for ((value, mapped), photo) in pixel.iter_mut().zip(mapped).zip(photo) {
                        *value += weights[index] * (mapped - photo);
                    }
                }
            }
        }
    }
    matched
}

/// Of the parts of a region's paintings that are taken, mixed by their shares.
fn statistics_of_paintings(
    scene: &Scene<'_>,
    region: usize,
    options: &TransferOptions,
) -> Option<Statistics> {
    let (paintings, parts): (Vec<_>, Vec<_>) = (scene.paintings().collect(), scene.parts().collect());
    let of = |(number, share): (usize, f64)| {
        let weights = parts[number].map(crate::Mask::values);
        Statistics::of(Weighted { picture: paintings[number], weights }).map(|own| (share, own))
    };
    let mixed: Vec<_> = scene.subject().shares(region, options).into_iter().filter_map(of).collect();
    Statistics::mixture(&mixed)
}
