/** Asks the gateway: subscriptions over server-sent events, all else by POST. */
import type { Fetcher, FetcherParams, Observable } from "@graphiql/toolkit";
import type { ExecutionResult } from "graphql";
import { getOperationAST, OperationTypeNode, parse } from "graphql";
import { createClient, NetworkError } from "graphql-sse";

import { currentToken } from "./token.ts";

/** Beside the page, wherever that is. */
const ENDPOINT = "graphql";
const ACCEPT = "application/graphql-response+json, application/json;q=0.9";

interface Sink {
  next(answer: ExecutionResult): void;
  error(reason: unknown): void;
  complete(): void;
}

type Stop = () => void;

/* A stream that is lost is shown as lost: a new one would hide what fell between. */
const events = createClient({
  url: ENDPOINT,
  headers: tokenHeader,
  retryAttempts: 0,
});

/** Every answer is an observable, because GraphiQL can stop nothing else. */
export const fetcher: Fetcher = (asked) =>
  observable((sink) =>
    isSubscription(asked) ? subscribe(asked, sink) : post(asked, sink),
  );

function observable(start: (sink: Sink) => Stop): Observable<ExecutionResult> {
  const subscribe = (sink: Sink) => ({ unsubscribe: start(sink) });
  return { subscribe } as Observable<ExecutionResult>;
}

function isSubscription({ query, operationName }: FetcherParams): boolean {
  try {
    const operation = getOperationAST(parse(query), operationName);
    return operation?.operation === OperationTypeNode.SUBSCRIPTION;
  } catch {
    return false; // The gateway says what is wrong with it.
  }
}

function post(asked: FetcherParams, sink: Sink): Stop {
  const stopping = new AbortController();
  ask(asked, stopping.signal).then(
    (answer) => end(sink, answer),
    (reason) => {
      if (!stopping.signal.aborted) sink.error(reason);
    },
  );
  return () => stopping.abort();
}

async function ask(
  asked: FetcherParams,
  signal: AbortSignal,
): Promise<ExecutionResult> {
  const headers = {
    Accept: ACCEPT,
    "Content-Type": "application/json",
    ...tokenHeader(),
  };
  const body = JSON.stringify(asked);
  const request = { method: "POST", headers, body, signal };
  return answerIn(await fetch(ENDPOINT, request));
}

function subscribe(asked: FetcherParams, sink: Sink): Stop {
  return events.subscribe<ExecutionResult["data"]>(
    { ...asked, operationName: asked.operationName ?? undefined },
    {
      next: (answer) => sink.next(answer as ExecutionResult),
      complete: () => sink.complete(),
      error: (reason) => void refused(reason, sink),
    },
  );
}

/** Show the gateway's own answer where there is one instead of a stream. */
async function refused(reason: unknown, sink: Sink): Promise<void> {
  const response = reason instanceof NetworkError ? reason.response : undefined;
  if (!(response instanceof Response)) return sink.error(reason);
  await answerIn(response).then(
    (answer) => end(sink, answer),
    (unreadable) => sink.error(unreadable),
  );
}

function end(sink: Sink, answer: ExecutionResult): void {
  sink.next(answer);
  sink.complete();
}

async function answerIn(response: Response): Promise<ExecutionResult> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`HTTP status ${response.status}, without JSON.`);
  }
}

function tokenHeader(): Record<string, string> {
  const token = currentToken();
  return token ? { "X-Auth-Token": token } : {};
}
