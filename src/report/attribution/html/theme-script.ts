/** @file The part of the pages' script that both share: the theme button. */

/** Plain JavaScript: cycles system, light, dark. Nothing is stored. */
export const themeScript = `
(function () {
  var button = document.getElementById('theme');
  var modes = ['system', 'light', 'dark'];
  var at = 0;
  button.hidden = false;
  button.addEventListener('click', function () {
    at = (at + 1) % 3;
    if (at === 0) document.documentElement.removeAttribute('data-theme');
    else document.documentElement.setAttribute('data-theme', modes[at]);
    button.textContent = 'Theme: ' + modes[at];
  });
})();
`;
