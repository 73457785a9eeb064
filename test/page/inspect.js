// Looks at a page in the browser and gives what is wrong with it, as sentences: names, roles, references, headings,
// contrast (WCAG 2.2, AA), targets and width. An expression: its value is the list.
(() => {
  const wrong = [];
  const shown = (element) => element.checkVisibility();
  const name = (element) => `<${element.tagName.toLowerCase()}> "${(element.textContent || '').trim().slice(0, 40)}"`;
  const every = (selector) => [...document.querySelectorAll(selector)];

  if (!document.documentElement.lang) wrong.push('the page has no language');
  if (!document.title) wrong.push('the page has no title');

  const ids = every('[id]').map(({ id }) => id);
  for (const id of new Set(ids.filter((one, place) => ids.indexOf(one) !== place))) wrong.push(`the id ${id} stands twice`);
  for (const attribute of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for']) {
    for (const element of every(`[${attribute}]`)) {
      for (const id of element.getAttribute(attribute).split(' '))
        if (!document.getElementById(id)) wrong.push(`${name(element)}: ${attribute} names ${id}, which is not there`);
    }
  }

  for (const element of every('button, input, select, textarea').filter(shown)) {
    const label = element.labels?.length ? [...element.labels].map(({ textContent }) => textContent).join('') : element.textContent;
    if (!(element.getAttribute('aria-label') || label || '').trim()) wrong.push(`${name(element)} has no name`);
    const box = element.getBoundingClientRect();
    if (element.type !== 'checkbox' && (box.height < 24 || box.width < 24))
      wrong.push(`${name(element)} is ${box.width} by ${box.height}: too small for a finger`);
    // Of tabs the one that is looked at; arrow keys lead to the others.
    const passed = element.role === 'tab' && element.getAttribute('aria-selected') === 'false';
    if (element.tabIndex < 0 && !passed) wrong.push(`${name(element)} is not reached by the keyboard`);
  }
  for (const element of every('[onclick], a:not([href]), [tabindex]:not([tabindex="-1"], [role=tab], ul)'))
    wrong.push(`${name(element)} only looks like a control`);
  for (const element of every('table')) {
    if (element.getAttribute('role') !== 'table' || !element.getAttribute('aria-label'))
      wrong.push(`${name(element)} is no named table for a screen reader`);
  }
  for (const element of every('section'))
    if (!element.getAttribute('aria-labelledby') && !element.getAttribute('aria-label')) wrong.push(`${name(element)} has no name`);
  const levels = every('h1, h2, h3, h4, h5')
    .filter(shown)
    .map(({ tagName }) => Number(tagName[1]));
  levels.forEach((level, place) => {
    if (place > 0 && level > levels[place - 1] + 1) wrong.push(`a heading of level ${level} follows one of ${levels[place - 1]}`);
  });

  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const light = (colour) => {
    const [r, g, b] = colour
      .slice(0, 3)
      .map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(rgba(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((below, above) => over(above, below), rgba('Canvas'));
  };
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.nodeValue.trim() || !shown(element) || element.disabled) continue;
    texts++;
    const style = getComputedStyle(element);
    const ground = behind(element);
    const [a, b] = [light(over(rgba(style.color), ground)), light(ground)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < needed) wrong.push(`${name(element)} has a contrast of ${ratio.toFixed(2)}, less than ${needed}`);
  }
  if (texts < 3) wrong.push('there is hardly a text to look at');

  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width)
    wrong.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${width}`);
  for (const element of every('body *').filter(shown)) {
    if (element.getBoundingClientRect().right > width + 1) wrong.push(`${name(element)} goes beyond the right edge`);
  }
  return wrong;
})();
