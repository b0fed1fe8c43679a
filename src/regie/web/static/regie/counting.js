/* A text's length as its network counts it, in the browser: the same as networks/text.py and networks/x/weights.py say.
   By the names of Counting. tests/browser/test_counting.py holds the two together. */
(function () {
  "use strict";

  const segmenter = window.Intl && Intl.Segmenter ? new Intl.Segmenter("en", { granularity: "grapheme" }) : null;
  const clusters = (text) => (segmenter ? Array.from(segmenter.segment(text), (one) => one.segment) : Array.from(text));
  const points = (text) => Array.from(text).length;
  const bytes = (text) => new TextEncoder().encode(text).length;
  const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

  const LINK = /https?:\/\/[^\s<>"]+/giu;
  const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
  const REMOTE_MENTION = new RegExp(`(?<![${WORD}/])(@[${WORD}.-]+)@[${WORD}.-]+[${WORD}]`, "gu");
  const EMOJI = /[\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3]/u;

  const graphemes = (text) => clusters(text).length;
  const mastodon = (text) => graphemes(text.replace(LINK, "x".repeat(23)).replace(REMOTE_MENTION, "$1"));
  const emojiBytes = (text) => sum(clusters(text).map((one) => (EMOJI.test(one) ? bytes(one) : points(one))));

  /* X */
  const GENERIC = `
    academy agency ai app art audio band bank beer bike biz blog boutique brussels cafe careers cat center chat
    church city clinic cloud club coffee com community company consulting cool coop dance date design dev
    digital eco edu education email energy events expert express family farm fashion film finance fitness fm
    foundation fun fund gallery game games garden global gov gratis group guide guru health help host hotel
    house immo info ink institute int international io jobs kitchen law legal life link live london ltd market
    marketing media mil mobi mobile moda museum music name net network news nyc one online org page paris
    partners photo photography photos pizza plus press pro productions radio recipes rent restaurant run sale
    school science services shop show site social software solutions space sport store studio style support
    systems tax team tech technology tel theater tickets tips tools top tours town toys trade training travel
    tube tv university vet video vin vip vision voyage watch website wedding wiki wine work works world xxx xyz
    yoga zone`.trim().split(/\s+/);
  const LABEL = "[\\p{L}\\p{N}](?:[\\p{L}\\p{N}_-]*[\\p{L}\\p{N}])?";
  const PATH = '(?:[/?#][^\\s<>"]*)?';
  const X_LINKS = new RegExp(
    `https?://${LABEL}(?:\\.${LABEL})+(?::\\d+)?${PATH}` +
      `|(?<![@＠$#＃.\\p{L}\\p{N}_/-])(?:` +
      `(?:${LABEL}\\.)+(?:${GENERIC.join("|")})(?![\\p{L}\\p{N}_-]|\\.[\\p{L}\\p{N}])${PATH}` +
      `|(?:${LABEL}\\.)+(?:${LABEL}\\.)[a-z]{2}(?![\\p{L}\\p{N}_.-])${PATH}` +
      `|(?:${LABEL}\\.)(?:co|tv)(?![\\p{L}\\p{N}_.-])${PATH}` +
      `|(?:${LABEL}\\.)[a-z]{2}/[^\\s<>"]*)`,
    "giu",
  );
  const AFTER = ".,;:!?'\")]}…»";
  const X_EMOJI = /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}[\uFE0F\u200D\p{Emoji_Modifier}]|[0-9#*]\uFE0F?\u20E3)/u;
  const LIGHT = [[0, 4351], [8192, 8205], [8208, 8223], [8242, 8247]];
  const weight = (sign) => (LIGHT.some(([first, last]) => first <= sign.codePointAt(0) && sign.codePointAt(0) <= last) ? 1 : 2);
  const plain = (text) => sum(clusters(text).map((one) => (X_EMOJI.test(one) ? 2 : sum(Array.from(one, weight)))));

  function address(found) {
    let text = found;
    while (AFTER.includes(text[text.length - 1]) && !(text.endsWith(")") && text.split("(").length >= text.split(")").length)) {
      text = text.slice(0, -1);
    }
    return text;
  }
  function x(given) {
    const text = given.normalize("NFC");
    let total = 0;
    let at = 0;
    for (const match of text.matchAll(X_LINKS)) {
      total += plain(text.slice(at, match.index)) + 23;
      at = match.index + address(match[0]).length;
    }
    return total + plain(text.slice(at));
  }

  window.regieCounting = Object.freeze({
    characters: points,
    graphemes,
    utf16: (text) => text.length,
    mastodon,
    x,
    emoji_bytes: emojiBytes,
  });
})();
