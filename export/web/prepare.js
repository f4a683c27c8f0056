// A picture as the network eats it: resized, centre cut out; zoo/preprocess.py, of which tests hold
// this to be the same. Sides are [height, width].

const BAND = 256;  // rows that are read at once: a phone's canvas is smaller than its photographs

// The nearest whole number, halves to the even one, as TensorFlow and NumPy round.
export function nearest(x) {
  const low = Math.floor(x);
  if (x - low === 0.5) return low % 2 ? low + 1 : low;
  return Math.round(x);
}

// The network's: image_size is a square's side, or both.
export function sizesOf({image_size}) {
  return Array.isArray(image_size) ? image_size : [image_size, image_size];
}

// Sides of the resized picture: a square's shorter side becomes resize_px, a box is just covered.
function scaledSize(sides, contract) {
  const {resize_px, rounding} = contract, [height, width] = sizesOf(contract);
  const shorter = Math.min(...sides);
  if (height !== width) {
    const covered = [height, width].map((side) => nearest(side * resize_px / Math.min(height, width)));
    const factor = Math.max(...covered.map((side, i) => Math.fround(side / sides[i])));
    return sides.map((side, i) => Math.max(nearest(Math.fround(side * factor)), covered[i]));
  }
  if (rounding === "torch") return sides.map((side) => Math.floor(side * resize_px / shorter));
  const scale = Math.fround(resize_px / shorter);  // float32, as the network's graph computes it
  return sides.map((side) => Math.max(nearest(Math.fround(side * scale)), resize_px));
}

// Top or left of the central `size`.
function corner(side, size, rounding) {
  const margin = side - size;
  return rounding === "torch" ? nearest(margin / 2) : Math.floor(margin / 2);
}

const KERNELS = {
  bilinear: {radius: 1, weigh: (x) => Math.max(0, 1 - x)},
  bicubic: {  // Keys' cubic with a = -1/2
    radius: 2,
    weigh: (x) => x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((2.5 - 0.5 * x) * x - 4) * x + 2 : 0,
  },
};

// For each of `size` resized positions: where its source pixels start, and their weights.
function spans(side, scaled, size, contract) {
  const {radius, weigh} = KERNELS[contract.method];
  const step = side / scaled;  // source pixels to a resized one
  const width = contract.antialias ? Math.max(step, 1) : 1;  // low-passed when shrinking
  const first = corner(scaled, size, contract.rounding);
  return Array.from({length: size}, (_, i) => {
    const centre = (first + i + 0.5) * step;
    const start = Math.max(0, Math.ceil(centre - radius * width - 0.5));
    const end = Math.min(side, Math.floor(centre + radius * width - 0.5) + 1);
    const weights = [];
    for (let x = start; x < end; x++) weights.push(weigh(Math.abs(x + 0.5 - centre) / width));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return {start, end, weights: weights.map((weight) => weight / total)};
  });
}

// readRows(left, top, width, height) gives RGBA bytes -> Float32Array of H x W x 3 in 0-255.
export function prepare(sides, readRows, contract) {
  const scaled = scaledSize(sides, contract), sizes = sizesOf(contract), across = sizes[1] * 3;
  const [rows, columns] = sides.map((side, i) => spans(side, scaled[i], sizes[i], contract));
  const left = columns[0].start, right = columns.at(-1).end, bottom = rows.at(-1).end;
  const pixels = new Float32Array(sizes[0] * across), line = new Float64Array(across);
  for (let top = rows[0].start; top < bottom; top += BAND) {
    const count = Math.min(BAND, bottom - top);
    const band = readRows(left, top, right - left, count);
    for (let y = 0; y < count; y++) {
      resample(band.subarray(y * (right - left) * 4), columns, left, line);
      rows.forEach(({start, end, weights}, row) => {
        if (top + y < start || top + y >= end) return;
        const weight = weights[top + y - start];
        for (let i = 0, at = row * across; i < across; i++, at++) pixels[at] += weight * line[i];
      });
    }
  }
  return pixels.map((value) => Math.min(255, Math.max(0, value)));
}

function resample(source, columns, left, line) {
  columns.forEach(({start, weights}, column) => {
    let red = 0, green = 0, blue = 0;
    for (let i = 0, at = (start - left) * 4; i < weights.length; i++, at += 4) {
      red += weights[i] * source[at];
      green += weights[i] * source[at + 1];
      blue += weights[i] * source[at + 2];
    }
    line[3 * column] = red;
    line[3 * column + 1] = green;
    line[3 * column + 2] = blue;
  });
}
