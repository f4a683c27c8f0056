// A picture, prepared as the network was evaluated, put to the network in this browser.
// What it must know (classes, size, resize rule) is the artifact's own metadata.json.
import {loadAndCompile, loadLiteRt, Tensor} from "@litertjs/core";
import {decode, readerOf} from "./pixels.js";
import {nearest, prepare, sizesOf} from "./prepare.js";

const TOP = 5;
const MAX_PIXELS = 2 ** 26;  // of a picture: as in the other artifacts
const byId = (id) => document.getElementById(id);

// -- the network

let model, metadata;

async function load() {
  const answer = await fetch("metadata.json");
  if (!answer.ok) throw new Error(`metadata.json: ${answer.status} ${answer.statusText}`);
  metadata = await answer.json();
  await loadLiteRt("./litert/");
  model = await loadAndCompile("model.tflite", {accelerator: "wasm"});
}

// Float32Array of H x W x 3 -> probabilities. An 8-bit file takes whole numbers of 0-255.
async function run(pixels) {
  const whole = metadata.interface.serving_default.inputs.images.dtype === "uint8";
  const input = new Tensor(whole ? Uint8Array.from(pixels, nearest) : pixels, [1, ...sizesOf(metadata.input), 3]);
  const outputs = await model.run([input]);
  input.delete();
  const probabilities = Array.from(outputs[0].toTypedArray());
  outputs.forEach((output) => output.delete());
  return probabilities;
}

// {probabilities, pixels, prepared_ms, network_ms} of a picture that a canvas can draw.
async function classify(picture, height, width) {
  if (!(height > 0 && width > 0)) throw new Error("it has no pixels");
  if (height * width > MAX_PIXELS) {
    throw new Error(`it has ${width} x ${height} pixels, more than ${MAX_PIXELS}`);
  }
  const begin = performance.now();
  const pixels = prepare([height, width], readerOf(picture), metadata.input);
  const prepared = performance.now();
  const probabilities = await run(pixels);
  const end = performance.now();
  return {probabilities, pixels, prepared_ms: prepared - begin, network_ms: end - prepared};
}

export async function classifyFile(blob) {
  const picture = await decode(blob, metadata.input);
  try {
    return await classify(picture, picture.height, picture.width);
  } finally {
    picture.close();
  }
}

// -- the page

const percent = (score) => `${(100 * score).toFixed(score < 0.0995 ? 1 : 0)} %`;

function show(pixels, [height, width]) {
  const canvas = byId("seen");
  [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = nearest(pixels[3 * i + c]);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function tell(sentence) {
  byId("status").textContent = sentence;
}

function present({probabilities, pixels, prepared_ms, network_ms}) {
  const [height, width] = sizesOf(metadata.input);
  show(pixels, [height, width]);
  byId("size").textContent = `As the network sees it: ${width} x ${height} pixels`;
  const best = probabilities.map((score, id) => ({score, name: metadata.class_names[id]}));
  best.sort((a, b) => b.score - a.score);
  byId("classes").replaceChildren(...best.slice(0, TOP).map(bar));
  byId("took").textContent =
    `${prepared_ms.toFixed(0)} ms to prepare the picture, ${network_ms.toFixed(1)} ms in the network`;
  byId("answer").hidden = false;
  tell(`Most likely ${best[0].name}, ${percent(best[0].score)}.`);
}

function bar({name, score}) {
  const item = document.createElement("li"), row = document.createElement("div");
  const parts = [["name", name], ["score", percent(score)]].map(([kind, text]) => {
    const part = document.createElement("span");
    part.className = kind;
    part.textContent = text;
    return part;
  });
  row.className = "row";
  row.append(parts[0], " ", parts[1]);
  const track = document.createElement("div"), filled = document.createElement("div");
  track.className = "track";
  filled.style.width = `${100 * score}%`;
  track.append(filled);
  item.append(row, track);
  return item;
}

let latest = 0;  // of pictures that come faster than they are answered, the last is shown

async function answer(work, name) {
  const number = ++latest;
  tell(`Looking at ${name} ...`);
  await new Promise((next) => setTimeout(next));  // so that the line is seen
  try {
    const found = await work();
    if (number === latest) present(found);
  } catch (error) {
    if (number !== latest) return;
    byId("answer").hidden = true;
    const known = error instanceof DOMException ? "this browser cannot read it as a picture" : error.message;
    tell(`${name}: ${known}.`);
  }
}

function take(files) {
  if (model && files.length) answer(() => classifyFile(files[0]), files[0].name || "the picture");
}

async function toggleCamera() {
  const video = byId("video");
  if (video.srcObject) {
    video.srcObject.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  } else {
    try {
      const wanted = {video: {facingMode: "environment"}};
      video.srcObject = await navigator.mediaDevices.getUserMedia(wanted);
      await video.play();
    } catch (error) {
      tell(`The camera cannot be used: ${error.message}.`);
    }
  }
  const on = Boolean(video.srcObject);
  video.hidden = byId("shoot").hidden = !on;
  byId("camera").textContent = on ? "Stop the camera" : "Use the camera";
  if (on) byId("shoot").focus();
}

function offerSamples() {
  const names = Object.keys(metadata.files).filter((name) => /^samples\/\d+\.\w+$/.test(name));
  byId("samples").hidden = !names.length;
  byId("samples").append(...names.map((name, number) => {
    const button = document.createElement("button"), image = document.createElement("img");
    button.type = "button";
    image.src = name;
    image.alt = `Sample ${number + 1}`;
    button.append(image);
    button.onclick = () => answer(
      async () => classifyFile(await (await fetch(name)).blob()), image.alt.toLowerCase());
    return button;
  }));
}

function listen() {
  const drop = byId("drop"), video = byId("video");
  byId("file").onchange = (event) => {
    take(event.target.files);
    event.target.value = "";  // so that the same file may be chosen again
  };
  document.ondragover = (event) => {
    event.preventDefault();
    drop.classList.add("over");
  };
  document.ondragleave = () => drop.classList.remove("over");
  document.ondrop = (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files);
  };
  document.onpaste = (event) => take(event.clipboardData.files);
  byId("camera").onclick = toggleCamera;
  byId("shoot").onclick = () => answer(
    () => classify(video, video.videoHeight, video.videoWidth), "the camera's picture");
  byId("camera").hidden = !navigator.mediaDevices?.getUserMedia;  // needs https, or this machine
}

try {
  listen();
  await load();
  byId("title").textContent = `What is in the picture? (${metadata.network})`;
  offerSamples();
  byId("file").disabled = byId("camera").disabled = false;
  tell(`Ready: ${metadata.class_names.length} classes.`);
} catch (error) {
  tell(`The network could not be loaded: ${error.message || error}.`);
}
