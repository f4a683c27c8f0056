// The pixels of a file as the network's evaluation saw them: as stored, whatever a browser would do
// with colour profiles and opacity, and turned only if those were.

// A file as a bitmap, turned as a JPEG's camera noted if the network was trained so.
export async function decode(blob, contract) {
  const stored = contract.orientation === "exif" ? blob : await withoutExif(blob);
  return createImageBitmap(stored, {colorSpaceConversion: "none", premultiplyAlpha: "none"});
}

// A JPEG without its segments APP1, by which browsers turn it whatever they are told.
async function withoutExif(blob) {
  const bytes = new Uint8Array(await blob.slice(0, 2 ** 18).arrayBuffer());
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return blob;
  for (let at = 2; bytes[at] === 0xff && (bytes[at + 1] >> 4 === 0xe || bytes[at + 1] === 0xfe);) {
    const end = at + 2 + 256 * bytes[at + 2] + bytes[at + 3];
    if (bytes[at + 1] === 0xe1) return withoutExif(new Blob([blob.slice(0, at), blob.slice(end)]));
    at = end;
  }
  return blob;
}

// (left, top, width, height) -> RGBA bytes of a bitmap, or of a camera's video.
export function readerOf(picture) {
  const still = picture instanceof ImageBitmap;
  return still && isTransparent(picture) ? exactReader(picture) : reader(picture);
}

function reader(picture) {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  return (left, top, width, height) => {
    [canvas.width, canvas.height] = [width, height];
    pen.globalCompositeOperation = "copy";
    pen.drawImage(picture, left, top, width, height, 0, 0, width, height);
    return pen.getImageData(0, 0, width, height).data;
  };
}

// Whether anything of it is not opaque: seen in a small copy.
function isTransparent(picture) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [64, 64];
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0, 64, 64);
  return pen.getImageData(0, 0, 64, 64).data.some((value, i) => i % 4 === 3 && value < 255);
}

// A canvas multiplies colours by their opacity and so forgets them; a texture keeps what the network
// was evaluated on. Where there is none that large, the canvas' colours have to do.
function exactReader(picture) {
  const gl = document.createElement("canvas").getContext("webgl");
  const largest = gl ? gl.getParameter(gl.MAX_TEXTURE_SIZE) : 0;
  if (Math.max(picture.width, picture.height) > largest) return reader(picture);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  const texture = gl.getParameter(gl.TEXTURE_BINDING_2D);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  return (left, top, width, height) => {
    const pixels = new Uint8Array(4 * width * height);
    gl.readPixels(left, top, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    return pixels;
  };
}
