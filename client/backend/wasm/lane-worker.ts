// A web worker that is a lane from its first message until lanes are sent home.

import { type LaneStart, serveLane } from "./lane.ts";

addEventListener(
  "message",
  ({ data }: MessageEvent<LaneStart>) => {
    serveLane(data, () => postMessage("ready"));
    close();
  },
  { once: true },
);
