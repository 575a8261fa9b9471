// Prints what the audits of graphql-http say of the server at a URL.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv[2] });
console.log(JSON.stringify(results.map(({ status, name }) => ({ status, name }))));
