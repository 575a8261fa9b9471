import { createHash } from "node:crypto";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";

const sent = [];
const http = new HttpLink({
  uri: "http://127.0.0.1:8000/graphql",
  fetch: (url, options) => {
    sent.push(JSON.parse(options.body).query ? "document" : "hash");
    return fetch(url, options);
  },
});
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const client = new ApolloClient({
  link: new PersistedQueryLink({ sha256 }).concat(http),
  cache: new InMemoryCache(),
});
for (const query of [gql`{ __typename }`, gql`query B { __typename }`]) {
  const { data } = await client.query({ query, fetchPolicy: "no-cache" });
  console.log(data.__typename);
}
console.log(sent.join(" "));
