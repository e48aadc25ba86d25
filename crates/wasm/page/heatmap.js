// Gram matrices as pictures: N x N numbers, each a pixel.

/// The colours from 0 to the largest number; page.css shows the same.
const RAMP = [[18, 14, 36], [86, 28, 110], [186, 54, 85], [244, 136, 50], [252, 244, 182]];

/// The colour of a share from 0 to 1.
function colour(share) {
  const at = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1);
  const low = Math.min(Math.floor(at), RAMP.length - 2);
  return RAMP[low].map((value, channel) => value + (at - low) * (RAMP[low + 1][channel] - value));
}

/// 256 colours, so that a matrix of 512 x 512 is looked up and not computed.
const COLOURS = Array.from({ length: 256 }, (_, index) => colour(index / 255));

/// The filters by how much they answer in the painting, strongest first: by the diagonal of A.
export function order(target, n) {
  return Array.from({ length: n }, (_, i) => i).sort((i, j) => target[j * n + j] - target[i * n + i]);
}

/// Draws |m_ij| of an N x N matrix with its rows and columns in that order. Square roots of shares of `largest`, because a few filters
/// answer much more than most.
export function draw(canvas, value, order, largest) {
  const n = order.length;
  const image = new ImageData(n, n);
  order.forEach((i, row) => {
    order.forEach((j, column) => {
      const share = Math.sqrt(Math.abs(value(i * n + j)) / largest);
      const [r, g, b] = COLOURS[Math.min(Math.round(255 * share), 255)] ?? COLOURS[0];
      image.data.set([r, g, b, 255], 4 * (row * n + column));
    });
  });
  canvas.width = n;
  canvas.height = n;
  canvas.classList.toggle("coarse", n <= 128);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/// |G - A| / |A|, as vectors of N^2 numbers.
export function distance(own, target) {
  let difference = 0;
  let length = 0;
  own.forEach((value, index) => {
    difference += (value - target[index]) ** 2;
    length += target[index] ** 2;
  });
  return Math.sqrt(difference / length);
}
