const page = (form: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ruyi board</title>
<style>
  body { font: 16px system-ui, sans-serif; display: grid; place-items: center; min-height: 90vh; margin: 0; color-scheme: light dark; }
  form { display: grid; gap: 0.75rem; width: min(20rem, 90vw); }
  input, button { font: inherit; padding: 0.5rem; }
</style>
${form}
</html>
`;

/** The form that asks for the token. `problem` is a constant text, never input. */
export const loginPage = (problem = ''): string =>
  page(`<form method="post" action="/login">
  <label for="token">Ruyi board token (BOARD_TOKEN)</label>
  <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
  <button>Log in</button>
  <span role="alert">${problem}</span>
</form>`);

/** The target of the board's link "Log out". Bull Board only has room for links, and a link must not end a session. */
export const logoutPage = page(`<form method="post" action="/logout">
  <button autofocus>Log out</button>
  <a href="/">Back to the board</a>
</form>`);
