/** The tabs that one finds at first: operations that work as they are. */
const documents = import.meta.glob<string>("./starters/*.graphql", {
  query: "?raw",
  import: "default",
  eager: true,
});

export const starters = Object.keys(documents)
  .sort()
  .map((path) => ({ query: documents[path]?.trim() ?? "" }));
