// sharp: twice as many images in flight as workers, one thread per image. Faster here than several threads per image.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";

const [source, target, specification, workers] = process.argv.slice(2);
const { boxes, format, quality } = JSON.parse(specification);
const sharp = createRequire(path.join(process.env.SHARP_HOME, "package.json"))("sharp");
sharp.cache(false);
sharp.concurrency(1);

const OPTIONS = {
  jpeg: { quality, optimizeCoding: true },
  webp: { quality, effort: 4 },
  png: { compressionLevel: 6 },
  avif: { quality, effort: 4 },
}[format];

const files = fs.readdirSync(source, { recursive: true }).filter((name) => path.extname(name)).sort();
for (const folder of new Set(files.map((name) => path.dirname(name)))) fs.mkdirSync(path.join(target, folder), { recursive: true });

async function make(name) {
  const { dir, name: stem } = path.parse(name);
  for (const [width, height] of boxes) {
    await sharp(path.join(source, name), { limitInputPixels: false })
      .rotate()
      .resize(width, height, { fit: "inside", withoutEnlargement: true })
      .toFormat(format, OPTIONS)
      .toFile(path.join(target, dir, `${stem}-${width}.${format}`));
  }
}

let next = 0;
async function lane() {
  while (next < files.length) await make(files[next++]);
}
await Promise.all(Array.from({ length: 2 * Number(workers) }, lane));
