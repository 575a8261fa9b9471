/** The page: GraphiQL, with a token instead of headers. */
import "graphiql/setup-workers/vite";
import "./style.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { fetcher } from "./fetcher.ts";
import { starters } from "./starters.ts";
import { takeTokensFromAddress } from "./token.ts";
import { TokenField } from "./token_field.tsx";

takeTokensFromAddress();

/* GraphiQL keeps in localStorage what its header editor and its history hold:
   this page has neither. */
const page = (
  <GraphiQL
    fetcher={fetcher}
    plugins={[explorerPlugin()]}
    defaultTabs={starters}
    isHeadersEditorEnabled={false}
    shouldPersistHeaders={false}
  >
    <GraphiQL.Logo>
      <span className="logo">
        glance-<em>gateway</em>
      </span>
    </GraphiQL.Logo>
    <GraphiQL.Toolbar>
      {({ prettify, merge, copy }) => (
        <>
          <TokenField />
          {prettify}
          {merge}
          {copy}
        </>
      )}
    </GraphiQL.Toolbar>
  </GraphiQL>
);

createRoot(document.getElementById("page")!).render(page);
