const page = (form: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Log in · Ruyi</title>
<link rel="icon" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/styles/base.css">
<link rel="stylesheet" href="/assets/styles/layout.css">
<link rel="stylesheet" href="/assets/styles/controls.css">
<link rel="stylesheet" href="/assets/styles/forms.css">
<body class="login">
<main>
${form}
</main>
</html>
`;

/** The form that asks for the token. `problem` is a constant text, never input. */
export const loginPage = (problem = ''): string =>
  page(`<form method="post" action="/login">
  <h1><img src="/assets/icon.svg" alt="" width="28" height="28"> Ruyi</h1>
  <label for="name">Your name</label>
  <input id="name" name="name" autocomplete="username" maxlength="64" required autofocus aria-describedby="why">
  <p class="hint" id="why">Noted in the log beside what you do here.</p>
  <label for="token">Token (BOARD_TOKEN)</label>
  <input id="token" name="token" type="password" autocomplete="current-password" required>
  <button class="primary">Log in</button>
  <p class="problem" role="alert">${problem}</p>
</form>`);

/** Where the links "Log out" lead. Bull Board only has room for links, and a link must not end a session. */
export const logoutPage = page(`<form method="post" action="/logout">
  <h1><img src="/assets/icon.svg" alt="" width="28" height="28"> Ruyi</h1>
  <button class="primary" autofocus>Log out</button>
  <a href="/">Back</a>
</form>`);
