/** Puts a picture into the catalogue and recognizes a photo of it: `node match.js URL PICTURE PHOTO`. */

import { openAsBlob } from "node:fs";
import { argv, exit } from "node:process";

import { Arthur, ArthurError } from "../src/index.js";

const [url, picture, photo] = argv.slice(2);
if (url === undefined || picture === undefined || photo === undefined) {
  console.error("usage: match.js URL PICTURE PHOTO");
  exit(2);
}

const arthur = new Arthur(url);
const view = await arthur.put(["a/b", "50 % off", "main"], await openAsBlob(picture), { title: "Élan" });
const answer = await arthur.match(await openAsBlob(photo), { k: 3 });
const frames = await arthur.match([await openAsBlob(photo), await openAsBlob(picture)], { artist_id: ["a/b"] });

const best = answer.matches[0];
console.log(`${answer.decision}: ${best?.artist_id} / ${best?.entry_id} (${best?.metadata["title"]})`);

try {
  await arthur.match(new Blob(["no picture"]));
} catch (error) {
  if (!(error instanceof ArthurError)) {
    throw error;
  }
  console.log(`${error.status}: ${error.message}`);
}

const { data } = await arthur.api.GET("/api/v1/artists/{artist_id}", { params: { path: { artist_id: "a/b" } } });
console.log(`${data?.views} view`);

exit(best?.vector_id === view.vector_id && frames.matches[0]?.vector_id === view.vector_id ? 0 : 1);
