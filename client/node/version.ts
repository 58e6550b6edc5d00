/** The version of this node, as `package.json` has it; told to the coordinator at joining. */
export const NODE_VERSION = "0.1.0";
