// Looks at the drawings of a page: what is wrong with them, as sentences; how light the page's ground is, from 0 to 1; and how
// large the letters of the first drawing are, px. An expression: its value is all of that.
(() => {
  const wrong = [];
  const parts = (color) => (color.match(/[\d.]+/g) || []).map(Number);
  const linear = (value) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const back = luminance(parts(getComputedStyle(document.body).backgroundColor));

  const drawings = [...document.querySelectorAll('svg')].filter((svg) => svg.checkVisibility());
  for (const svg of drawings) {
    const all = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll('text')]
      .filter(({ textContent }) => textContent !== '')
      .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect(), ink: luminance(parts(getComputedStyle(text).fill)) }));
    for (const [index, { text, box, ink }] of boxes.entries()) {
      const contrast = (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05);
      if (contrast < 4.5) wrong.push(`"${text}" has a contrast of ${contrast.toFixed(2)}`);
      if (box.left < all.left - 1 || box.right > all.right + 1) wrong.push(`"${text}" leaves the drawing`);
      for (const other of boxes.slice(index + 1)) {
        const beside = box.right <= other.box.left + 1 || other.box.right <= box.left + 1;
        const below = box.bottom <= other.box.top + 2 || other.box.bottom <= box.top + 2;
        if (!beside && !below) wrong.push(`"${text}" and "${other.text}" stand in one another`);
      }
    }
  }
  const [first] = drawings;
  const letters = first === undefined ? 0 : (12 * first.getBoundingClientRect().width) / first.viewBox.baseVal.width;
  return { wrong, back, letters };
})();
