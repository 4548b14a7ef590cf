// Logs in through OAuth with the official TypeScript SDK, calls a tool, and prints what it saw.
//
// oauth.mjs v1|v2 ENDPOINT INSTANCE USERNAME PASSWORD   PACKAGES is the folder that npm installed to

import { createRequire } from 'node:module';

const [sdk, endpoint, instance, username, password] = process.argv.slice(2);
const require = createRequire(`${process.env.PACKAGES}/`);
const { Client, StreamableHTTPClientTransport, UnauthorizedError } =
    sdk === 'v1'
        ? {
              ...require('@modelcontextprotocol/sdk/client/index.js'),
              ...require('@modelcontextprotocol/sdk/client/streamableHttp.js'),
              ...require('@modelcontextprotocol/sdk/client/auth.js'),
          }
        : require('@modelcontextprotocol/client');

const redirect = 'http://localhost:51234/callback';
const kept = {};
let page;
const provider = {
    redirectUrl: redirect,
    clientMetadata: { client_name: 'tests', redirect_uris: [redirect], token_endpoint_auth_method: 'none' },
    state: () => 'state of the tests',
    clientInformation: () => kept.client,
    saveClientInformation: client => (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: tokens => (kept.tokens = tokens),
    codeVerifier: () => kept.verifier,
    saveCodeVerifier: verifier => (kept.verifier = verifier),
    redirectToAuthorization: url => (page = url),
};

/** What a browser does with the page; returns where it is sent to. */
async function logIn(url) {
    const shown = await fetch(url);
    const login = (await shown.text()).match(/name="login" value="([^"]+)"/)[1];
    const cookie = shown.headers.get('set-cookie').split(';')[0];
    const done = await fetch(new URL('/authorize', url), {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, origin: url.origin },
        body: new URLSearchParams({ login, instance, username, password }),
    });
    return new URL(done.headers.get('location'));
}

const transport = () => new StreamableHTTPClientTransport(new URL(endpoint), { authProvider: provider });
const me = { name: 'tests', version: '0' };
const first = transport();
let refused = false;
await new Client(me).connect(first).catch(error => {
    if (!(error instanceof UnauthorizedError)) throw error;
    refused = true;
});
const back = await logIn(page);
await first.finishAuth(sdk === 'v1' ? back.searchParams.get('code') : back.searchParams);
const client = new Client(me);
await client.connect(transport());
const answer = await client.callTool({ name: 'count_tickets', arguments: {} });
// A token that is none is refused, and the SDK refreshes without asking anybody.
page = undefined;
const before = kept.tokens.refresh_token;
kept.tokens = { ...kept.tokens, access_token: 'over' };
const again = await client.callTool({ name: 'count_tickets', arguments: {} });
await client.close();
const renewed = kept.tokens.refresh_token !== before && page === undefined;
console.log(JSON.stringify({ refused, answer: answer.content[0].text, again: again.content[0].text, renewed }));
process.exit(0);
