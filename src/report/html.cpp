// The report as one page: no scripts, nothing fetched, readable on a phone, in the dark, by a screen reader and on two
// sheets of A4. Pictures are inline SVG; every number in a picture also stands in words or in a table beside it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "report/telling.h"

namespace dorsalgia {

namespace {

constexpr const char* kStyle = R"css(
:root{--paper:#fff;--ink:#1c2430;--soft:#55606e;--line:#d5dae1;--tint:#f3f5f8;--dot:#d3dae3;--other:#4f7396;--tumour:#8a2f6b;--edge:#6b7684;--wash:#f3f5f8}
.emergency{--edge:#b3201b;--wash:#fdf0ef}.urgent{--edge:#b4500b;--wash:#fdf3ea}.soon{--edge:#8a6a00;--wash:#fbf6e3}
@media (prefers-color-scheme:dark){:root{--paper:#14181e;--ink:#e7ebf0;--soft:#a5b0bd;--line:#343c47;--tint:#1d232b;--dot:#3a434f;--other:#86add3;--tumour:#e29bca;--edge:#8b96a4;--wash:#1d232b}
.emergency{--edge:#ff8379;--wash:#331a1a}.urgent{--edge:#f5a45d;--wash:#33241a}.soon{--edge:#e3c04b;--wash:#2e2a18}}
*{box-sizing:border-box}
html{color-scheme:light dark}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
header,main,footer{max-width:61rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:1.5rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.1rem;line-height:1.3;margin:0 0 .5rem}
h3{font-size:.95rem;margin:1rem 0 .25rem}
p{margin:0 0 .5rem}ul{margin:0 0 .5rem;padding-left:1.25rem}li{margin:.15rem 0}
section{margin:1.5rem 0}
.soft,small{color:var(--soft);font-size:.875rem}
.who{color:var(--soft);margin:0}
.act{background:var(--wash);border-left:.5rem solid var(--edge);padding:1rem 1.25rem;border-radius:0 .4rem .4rem 0}
.act h2{font-size:1.45rem;margin:0 0 .35rem}
.act .do{font-size:1.08rem}
.act dl{margin:.75rem 0 0;display:grid;grid-template-columns:max-content 1fr;gap:.15rem .9rem;font-size:.9rem}
.act dt{color:var(--soft)}.act dd{margin:0}
.open{border:2px dashed var(--edge,#6b7684);padding:.75rem 1.25rem;border-radius:.4rem}
.open ul{columns:2;column-gap:2rem}
.one ul{columns:1}
.answer{font-size:1.2rem;line-height:1.4}
.two{display:grid;grid-template-columns:1fr 1fr;gap:0 2.5rem;align-items:start}
table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;color:var(--soft);font-size:.875rem;padding-bottom:.25rem}
th,td{text-align:left;padding:.25rem .5rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top;font-weight:400}
thead th{color:var(--soft);font-size:.8rem;border-bottom-color:var(--edge)}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;padding-right:0}
td.b{width:38%;padding-right:.6rem}.wide td.b{width:30%}
td.b svg{display:block;width:100%;height:.85rem;margin-top:.35rem}
tbody.g th[colspan]{font-weight:600;padding-top:.6rem;border-bottom-color:var(--edge)}
.other{fill:var(--other)}.tumour{fill:var(--tumour)}.dot{fill:var(--dot)}.ink{fill:var(--ink)}.softfill{fill:var(--soft)}
.stroke{stroke:var(--soft);fill:none}.grid{stroke:var(--line);fill:none}.line-tumour{stroke:var(--tumour);stroke-width:2.5;fill:none}.line-other{stroke:var(--other);stroke-width:2;fill:none}.bg{fill:var(--tint)}
.key{white-space:nowrap}table.time .key{padding-right:1rem}.mark{color:var(--tumour)}
figure{margin:.75rem 0}figcaption{color:var(--soft);font-size:.875rem}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
td.n small{display:block;white-space:nowrap}.icons svg,.ladder svg,.spine svg,.time svg{width:100%;height:auto;display:block}.icons{max-width:43rem}.icons.many{max-width:none}td.n+td.n,th.n+th.n,td.n{padding-left:.75rem}
.warn{border-left:.35rem solid #8a6a00;padding:.5rem .9rem;background:var(--tint)}
.net{border:1px solid var(--line);border-radius:.4rem;padding:1rem 1.25rem}
footer{border-top:1px solid var(--line);padding-top:1rem;padding-bottom:2rem;margin-top:2rem;font-size:.85rem;color:var(--soft)}
footer strong{color:var(--ink)}
.hash{overflow-wrap:anywhere}
@media (max-width:46rem){.two{grid-template-columns:1fr}.open ul{columns:1}.act dl{grid-template-columns:1fr;gap:0}.act dd{margin-bottom:.4rem}.hide{display:none}}
@media print{:root{--paper:#fff;--ink:#000;--soft:#3d4650;--line:#c5ccd4;--tint:#f3f5f8;--dot:#cfd6de;--other:#4f7396;--tumour:#8a2f6b;--edge:#555;--wash:#fff}
.emergency{--edge:#b3201b;--wash:#fff}.urgent{--edge:#b4500b;--wash:#fff}.soon{--edge:#8a6a00;--wash:#fff}
html{color-scheme:light;font-size:8.2pt}body{font-size:1rem;line-height:1.3}@page{size:A4;margin:9mm 12mm}
header,main,footer{max-width:none;padding:0}.act h2{font-size:1.5rem}.answer{font-size:1.15rem}
section{margin:.55rem 0}.act,.open,.net{padding:.5rem .8rem}.open ul{columns:3}table{font-size:.9rem}th,td{padding:.12rem .3rem .12rem 0}
p,ul{margin-bottom:.25rem}li{margin:0}footer{margin-top:.6rem;padding:.4rem 0 0}.act dl{margin-top:.4rem;grid-template-columns:max-content 1fr}figure{margin:.3rem 0}
.rest{columns:2;column-gap:8mm}.rest>:first-child{margin-top:0}.two{display:block}.two>div{margin-bottom:.7rem}.pics{display:flex;gap:6mm;align-items:flex-end}.pics .icons{flex:0 0 44%;max-width:none}.pics .ladder{flex:1}.ladder svg text{font-size:19px}.hide{display:none}.next td.n{padding-left:.3rem}.next small{display:none}td.b svg{height:.7rem;margin-top:.2rem}
tr,figure,.act,.open,.net,.keep{break-inside:avoid}.wide td.b{width:24%}h2,h3,thead{break-after:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

std::string escape(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else if (c == '\'') out += "&#39;";
    else out += c;
  }
  return out;
}

std::string capital(std::string s) {
  if (!s.empty()) s[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(s[0])));
  return s;
}

std::string items(const std::vector<std::string>& all) {
  std::string out = "<ul>\n";
  for (const auto& s : all) out += "<li>" + escape(s) + "</li>\n";
  return out + "</ul>\n";
}

std::string bar(double share, bool tumour) {
  const double w = share > 0 ? std::clamp(share * 200, 1.0, 200.0) : 0;  // a low chance is still a chance
  return fmt::format(
      R"(<svg viewBox="0 0 200 10" preserveAspectRatio="none" aria-hidden="true"><rect class="bg" width="200" height="10"/><rect class="{}" width="{:.2f}" height="10"/></svg>)",
      tumour ? "tumour" : "other", w);
}

std::string push_bar(double share) {
  const double w = std::clamp(std::abs(share) * 100, 1.0, 100.0);
  return fmt::format(
      R"(<svg viewBox="0 0 200 10" preserveAspectRatio="none" aria-hidden="true"><rect class="bg" width="200" height="10"/><rect class="{}" x="{:.2f}" width="{:.2f}" height="10"/><rect class="softfill" x="99.5" width="1" height="10"/></svg>)",
      share > 0 ? "tumour" : "other", share > 0 ? 100.0 : 100 - w, w);
}

class Page {
 public:
  explicit Page(const Told& told) : t_(told), person_(told.voice == Voice::person) {}

  std::string html() {
    const std::string title = "Could a tumour be causing this back pain?";
    out_ = fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'\">\n"
        "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
        title, kStyle);
    add("<header>\n<h1>{}</h1>\n<p class=\"who\">{}{}</p>\n</header>\n<main>\n", title, escape(t_.person),
        t_.id.empty() ? "" : " · " + escape(t_.id));
    urgency();
    not_assessed();
    if (t_.withheld.empty()) {
      likely();
      visits();
      causes();
      out_ += "<div class=\"rest\">\n";
      if (!person_) place();
      forecast();
      reasons();
      next();
    } else {
      add("<section aria-labelledby=\"none\">\n<h2 id=\"none\">No probabilities</h2>\n<p class=\"warn\">{}</p>\n</section>\n<div "
          "class=\"rest\">\n",
          escape(t_.withheld));
    }
    changes();
    lists();
    unused();
    net();
    add("</div>\n</main>\n<footer>\n<p><strong>{}</strong></p>\n<p>{}</p>\n<p class=\"hash\">{}</p>\n</footer>\n</body>\n</html>\n",
        escape(t_.not_excluded), escape(t_.intended_use), escape(t_.model));
    return std::move(out_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void urgency() {
    add("<section class=\"act {}\" aria-labelledby=\"act\">\n<h2 id=\"act\">{}</h2>\n<p class=\"do\">{}</p>\n", urgency_id(t_.urgency),
        escape(t_.urgency_title), escape(t_.action));
    if (!t_.rules.empty()) {
      const ToldRule& r = t_.rules.front();
      add("<dl>\n<dt>{}</dt><dd><strong>{}</strong>{}</dd>\n", person_ ? "Why" : "Rule", escape(capital(r.name)),
          r.limit.empty() ? "" : ", " + escape(r.limit));
      if (!r.value.empty()) add("<dt>Now</dt><dd>{}</dd>\n", escape(r.value));
      if (!r.source.empty()) add("<dt>Source</dt><dd>{}</dd>\n", escape(r.source));
      if (!person_) {
        if (!r.recommendation.empty()) add("<dt>Recommendation</dt><dd>{}</dd>\n", escape(r.recommendation));
        add("<dt>Checked</dt><dd>{}{}</dd>\n", escape(r.grade), r.checked.empty() ? "" : ", dated " + escape(r.checked));
        if (!r.why.empty()) add("<dt>Our reading</dt><dd>{}</dd>\n", escape(r.why));
      }
      std::string also, less;
      for (std::size_t i = 1; i < t_.rules.size() && !person_; ++i) {
        const ToldRule& x = t_.rules[i];
        const std::string from = escape(x.short_source.empty() ? "our judgement" : x.short_source) +
                                 (x.recommendation.empty() ? "" : ", " + escape(x.recommendation));
        if (x.urgency == t_.urgency)
          also += fmt::format("<li>{}, {} <small>({}{})</small></li>\n", escape(capital(x.name)),
                              escape(x.limit.empty() ? urgency_phrase(x.urgency) : x.limit), x.value.empty() ? "" : escape(x.value) + "; ",
                              from);
        else
          less += fmt::format("{}{} <small>({})</small>", less.empty() ? "" : "; ", escape(x.name),
                              escape(x.short_source.empty() ? "our judgement" : x.short_source));
      }
      if (!also.empty()) add("<dt>Also</dt><dd><ul>{}</ul></dd>\n", also);
      if (!less.empty()) add("<dt>Less urgent</dt><dd>{}</dd>\n", less);
      out_ += "</dl>\n";
    }
    out_ += "</section>\n";
  }

  void not_assessed() {
    if (t_.not_assessed.empty() && t_.not_entered.empty() && t_.could_become.empty()) return;
    add("<section class=\"open{}\" aria-labelledby=\"open\">\n<h2 id=\"open\">{}</h2>\n", person_ ? " one" : "",
        person_ ? "Please answer these first" : "Not yet assessed: unknown is not absent");
    if (person_ && !t_.not_assessed.empty()) out_ += "<p>We do not know the answers, and they can change the advice.</p>\n";
    if (!t_.not_assessed.empty()) out_ += items(t_.not_assessed);
    if (t_.not_assessed_more) add("<p>And {} more{}.</p>\n", t_.not_assessed_more, person_ ? " questions" : "; the JSON report lists all");
    if (!t_.could_become.empty())
      add("<p>{} {}.</p>\n",
          person_ ? "With some answers it would be:" : "Depending on such answers the urgency may still become:", escape(t_.could_become));
    if (!t_.not_entered.empty()) add("<p class=\"soft\">Not given: {}.</p>\n", escape(fmt::format("{}", fmt::join(t_.not_entered, "; "))));
    out_ += "</section>\n";
  }

  void likely() {
    add("<section aria-labelledby=\"likely\">\n<h2 id=\"likely\">{}</h2>\n<p class=\"answer\">{}</p>\n<p>{}</p>\n",
        person_ ? "How likely is a serious cause?" : "How likely is a tumour?", escape(t_.answer), escape(t_.before));
    out_ += "<div class=\"pics\">\n";
    icons();
    ladder();
    out_ += "</div>\n";
    add("<p class=\"soft\">{}</p>\n", escape(t_.certainty));
    if (!t_.poor_fit.empty()) add("<p class=\"warn\"><strong>Take care.</strong> {}</p>\n", escape(t_.poor_fit));
    out_ += "</section>\n";
  }

  // One dot a person of the denominator, filled from the corner, column by column: cancers, then other tumours. The dots
  // are patterns on a few rectangles, so the file stays small whatever the number.
  void icons() {
    const int rows = t_.denominator > 1000 ? 50 : 20, columns = t_.denominator / rows, step = t_.denominator > 1000 ? 6 : 12;
    const auto people = [&](double p) {
      return std::clamp(static_cast<int>(std::lround(p * t_.denominator)), 0, t_.denominator - 1);
    };  // never all of them
    // Fewer than one is drawn as one, and said: a low chance is still a chance.
    const bool fewer = t_.tumour > 0 && people(t_.tumour) == 0;
    const int tumours = fewer ? 1 : people(t_.tumour), cancers = fewer ? 1 : std::min(tumours, people(t_.malignant));
    const auto pattern = [&](const char* id, const char* look, double radius) {
      add("<pattern id=\"{}\" width=\"{}\" height=\"{}\" patternUnits=\"userSpaceOnUse\"><circle {} cx=\"{}\" cy=\"{}\" "
          "r=\"{:.2f}\"/></pattern>\n",
          id, step, step, look, step / 2.0, step / 2.0, step * radius);
    };
    const auto fill = [&](const char* id, int from, int to) {  // dots from..to-1
      while (from < to) {
        const int row = from % rows, n = row || to - from < rows ? std::min(rows - row, to - from) : (to - from) / rows * rows,
                  across = std::max(1, n / rows);
        add("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"url(#{})\"/>\n", from / rows * step, row * step, across * step,
            std::min(n, rows) * step, id);
        from += n;
      }
    };
    add("<figure class=\"icons{}\">\n<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"icons-t\"><title "
        "id=\"icons-t\">{}</title>\n<defs>\n",
        t_.denominator > 1000 ? " many" : "", columns * step, rows * step, escape(t_.answer));
    pattern("none-dots", "class=\"dot\"", 0.36);
    pattern("cancer-dots", "class=\"tumour\"", 0.46);
    pattern("other-dots", "class=\"tumour\" fill-opacity=\".45\"", 0.46);
    out_ += "</defs>\n";
    fill("cancer-dots", 0, cancers);
    fill("other-dots", cancers, tumours);
    fill("none-dots", tumours, t_.denominator);
    add("</svg>\n<figcaption>Each dot is one of {} people. {}{} Grey: no tumour.</figcaption>\n</figure>\n", t_.of.substr(3),
        fewer ? "<span class=\"mark\">The one dot in the corner stands for fewer than one with a tumour.</span>"
              : "<span class=\"mark\">Strong colour: cancer (" + escape(t_.malignant_count) + ").</span>",
        tumours == cancers ? "" : " <span class=\"mark\">Faint colour: another tumour.</span>");
  }

  void ladder() {
    const double left = 10, right = 790, y = 40;
    const auto at = [&](double p) { return left + (right - left) * std::clamp((std::log10(std::max(p, 1e-12)) + 4) / 4, 0.0, 1.0); };
    const double before = at(t_.ladder[0].probability), now = at(t_.ladder[1].probability);
    add("<figure class=\"ladder\">\n<svg viewBox=\"0 0 800 84\" role=\"img\" aria-labelledby=\"ladder-t\"><title id=\"ladder-t\">Any "
        "tumour, on a scale by tens: before {}, now {}.</title>\n",
        natural_frequency(t_.ladder[0].probability, t_.denominator), natural_frequency(t_.ladder[1].probability, t_.denominator));
    if (!person_ && t_.ladder.size() > 2) {
      double from = right;
      for (std::size_t i = 2; i < t_.ladder.size(); ++i) from = std::min(from, at(t_.ladder[i].probability));
      add("<rect class=\"bg\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"18\"/>\n", from, y - 9, right - from);
    }
    add("<path class=\"stroke\" d=\"M{} {}H{}\"/>\n", left, y, right);
    const char* names[] = {"1 in 10,000", "1 in 1,000", "1 in 100", "1 in 10", "all"};
    for (int i = 0; i < 5; ++i)
      add("<path class=\"stroke\" d=\"M{:.1f} {}v10\"/><text class=\"softfill\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n",
          at(std::pow(10, i - 4)), y - 5, at(std::pow(10, i - 4)), y + 24,
          i == 0   ? "start"
          : i == 4 ? "end"
                   : "middle",
          names[i]);
    std::string asks;
    for (std::size_t i = 2; i < t_.ladder.size() && !person_; ++i) {
      const Mark& m = t_.ladder[i];
      add("<path class=\"stroke\" stroke-dasharray=\"2 2\" d=\"M{:.1f} {}v18\"/>\n", at(m.probability), y - 9);
      asks += fmt::format("{}{} {}", asks.empty() ? "" : ", ", natural_frequency(m.probability, t_.denominator),
                          m.name.substr(m.name.find(": ") + 2));
    }
    const bool same = std::abs(now - before) < 6, near = std::abs(now - before) < 90, rises = before < now;
    const auto anchor = [&](double x) { return x < 60 ? "start" : x > 740 ? "end" : "middle"; };
    add("<circle cx=\"{:.1f}\" cy=\"{}\" r=\"5.5\" class=\"stroke\" stroke-width=\"2\" style=\"fill:var(--paper)\"/><circle "
        "class=\"tumour\" cx=\"{:.1f}\" cy=\"{}\" r=\"6.5\"/>\n",
        before, y, now, y);
    if (!same)
      add("<text class=\"softfill\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">before</text>\n", near ? before + (rises ? -2 : 2) : before,
          y - 16, near ? (rises ? "end" : "start") : anchor(before));
    add("<text class=\"ink\" font-weight=\"bold\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n",
        near && !same ? now + (rises ? 2 : -2) : now, y - 16, near && !same ? (rises ? "start" : "end") : anchor(now),
        same ? "before and now" : "now");
    out_ += "</svg>\n<figcaption>Any tumour, on a scale by tens.";
    if (!asks.empty()) add(" Dashed: a chance of cancer that asks for action by itself ({}).", asks);
    out_ += "</figcaption>\n</figure>\n";
  }

  // Chances over time, by tens, with a table of the same numbers.
  void visits() {
    if (t_.visits.empty()) return;
    const double left = 92, right = 640, top = 14, bottom = 214;
    const double end = t_.visits.back().weeks;
    const auto x = [&](double weeks) { return left + (right - left) * weeks / end; };
    const auto y = [&](double p) { return bottom - (bottom - top) * std::clamp((std::log10(std::max(p, 1e-12)) + 4) / 4, 0.0, 1.0); };
    const char* emergency = person_ ? "cannot wait" : "emergency";
    add("<section class=\"keep\" aria-labelledby=\"visits\">\n<h2 id=\"visits\">{}</h2>\n<figure class=\"time\">\n<svg viewBox=\"0 0 800 "
        "262\" role=\"img\" aria-labelledby=\"visits-t\"><title id=\"visits-t\">Chances at each visit, on a scale by tens; the table has "
        "the "
        "numbers.</title>\n",
        person_ ? "How it has changed" : "Over the visits");
    const char* names[] = {"1 in 10,000", "1 in 1,000", "1 in 100", "1 in 10", "all"};
    for (int i = 0; i < 5; ++i) {
      const double at = y(std::pow(10, i - 4));
      add("<path class=\"grid\" d=\"M{} {:.1f}H{}\"/><text class=\"softfill\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left,
          at, right, left - 8, at + 4, names[i]);
    }
    double shown = -1e9;  // labels that would overlap are left to the table
    for (std::size_t i = 0; i < t_.visits.size(); ++i) {
      const ToldVisit& v = t_.visits[i];
      const bool last = i + 1 == t_.visits.size();
      add("<path class=\"grid\" d=\"M{:.1f} {}V{}\"/>\n", x(v.weeks), top, bottom + 6);
      if (!last && (x(v.weeks) - shown < 62 || x(end) - x(v.weeks) < 62)) continue;
      shown = x(v.weeks);
      add("<text class=\"softfill\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", shown, bottom + 22, escape(v.when));
    }
    const auto curve = [&](double ToldVisit::*value, const char* stroke, const char* fill, const char* dash) {
      std::string points;
      for (const ToldVisit& v : t_.visits) points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", x(v.weeks), y(v.*value));
      add("<polyline class=\"{}\" {} points=\"{}\"/>\n", stroke, dash, points);
      for (const ToldVisit& v : t_.visits)
        add("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"/>\n", fill, x(v.weeks), y(v.*value));
    };
    curve(&ToldVisit::emergency, "line-other", "other", "stroke-dasharray=\"6 4\"");
    curve(&ToldVisit::tumour, "line-tumour", "tumour", "");
    // Named at the end of each line, pushed apart where the lines meet.
    const ToldVisit& now = t_.visits.back();
    double tumour_at = y(now.tumour) + 4, emergency_at = y(now.emergency) + 4;
    if (std::abs(tumour_at - emergency_at) < 16) {
      const double middle = std::clamp((tumour_at + emergency_at) / 2, top + 12, bottom - 4), up = now.tumour >= now.emergency ? -8 : 8;
      tumour_at = middle + up, emergency_at = middle - up;
    }
    add("<text class=\"tumour\" font-weight=\"bold\" x=\"{}\" y=\"{:.1f}\">any tumour: {}</text>\n<text class=\"other\" x=\"{}\" "
        "y=\"{:.1f}\">{}: {}</text>\n</svg>\n",
        right + 12, tumour_at, escape(now.tumour_count), right + 12, emergency_at, emergency, escape(now.emergency_count));
    add("<figcaption>Numbers at the lines are {}, by what was known at each visit.</figcaption>\n</figure>\n", t_.of);
    add("<table class=\"time\"><thead><tr><th scope=\"col\">visit</th><th scope=\"col\">what was said</th><th scope=\"col\" "
        "class=\"n\">tumour "
        "{}</th><th scope=\"col\" class=\"n\">{}</th></tr></thead><tbody>\n",
        t_.of, emergency);
    for (const ToldVisit& v : t_.visits)
      add("<tr><th scope=\"row\" class=\"key\">{}</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n", escape(v.when),
          escape(capital(v.news)), escape(v.tumour_count), escape(v.emergency_count));
    out_ += "</tbody></table>\n</section>\n";
  }

  std::string rows(const std::vector<ToldShare>& all, bool notes) const {
    std::string out;
    for (const ToldShare& s : all) {
      const std::string note = notes && !s.note.empty() ? fmt::format(" <small>{}</small>", escape(s.note)) : "";
      const std::string range = notes && !s.range.empty() ? fmt::format("<small>{}</small>", escape(s.range)) : "";
      out += fmt::format("<tr><th scope=\"row\">{}{}{}</th><td class=\"b\">{}</td><td class=\"n\">{}{}</td></tr>\n",
                         s.tumour ? "<span class=\"mark\" aria-hidden=\"true\">● </span>" : "", escape(s.name), note,
                         bar(s.probability, s.tumour), escape(s.count), range);
    }
    return out;
  }

  void table(const std::string& id, const std::string& title, const std::vector<ToldShare>& all, bool notes,
             const std::string& caption = "") {
    if (all.empty()) return;
    add("<section class=\"keep\" aria-labelledby=\"{}\">\n<h2 id=\"{}\">{}</h2>\n<table>{}<thead><tr><th scope=\"col\">{}</th><th "
        "scope=\"col\"><span class=\"hide\">share</span></th><th scope=\"col\" "
        "class=\"n\">{}</th></tr></thead>\n<tbody>\n{}</tbody></table>\n</section>\n",
        id, id, title, caption.empty() ? "" : "<caption>" + escape(caption) + "</caption>", "cause", t_.of, rows(all, notes));
  }

  void causes() { table("causes", person_ ? "What it could be" : "Causes", t_.causes, !person_, "● marks tumours"); }

  void place() {
    auto small = [&](const char* id, const char* title, const char* column, const std::vector<ToldShare>& all) {
      if (all.empty()) return;
      add("<div>\n<h2 id=\"{}\">{}</h2>\n<table aria-labelledby=\"{}\"><thead><tr><th scope=\"col\">{}</th><th scope=\"col\"><span "
          "class=\"hide\">share</span></th><th scope=\"col\" class=\"n\">{}</th></tr></thead><tbody>\n{}</tbody></table>\n</div>\n",
          id, title, id, column, t_.of, rows(all, true));
    };
    out_ += "<section class=\"two\" aria-label=\"Mechanisms, levels and stages\">\n";
    small("mechanisms", "Mechanisms at work", "mechanism", t_.mechanisms);
    small("levels", "Level", "region", t_.regions);
    out_ += "</section>\n";
    spine();
    if (!t_.stages.empty()) {
      add("<section aria-labelledby=\"stages\">\n<h2 id=\"stages\">Likeliest stages</h2>\n<table><thead><tr><th scope=\"col\">stage, of "
          "which cause</th><th scope=\"col\"><span class=\"hide\">share</span></th><th scope=\"col\" "
          "class=\"n\">{}</th></tr></thead><tbody>\n{}</tbody></table>\n</section>\n",
          t_.of, rows(t_.stages, true));
    }
  }

  // The share of every level, from the neck down; the table of regions says the same in numbers.
  void spine() {
    double most = 0;
    for (const auto& [id, p] : t_.levels) most = std::max(most, p);
    if (!(most > 0)) return;
    const double step = 800.0 / static_cast<double>(t_.levels.size());
    add("<section aria-label=\"Level by level\"><figure class=\"spine\">\n<svg viewBox=\"0 0 800 76\" role=\"img\" "
        "aria-labelledby=\"spine-t\"><title id=\"spine-t\">Share of each level of the spine, from neck to sacrum</title>\n");
    double x = 0;
    for (const auto& [id, p] : t_.levels) {
      const double h = 54 * p / most;
      add("<rect class=\"bg\" x=\"{:.1f}\" y=\"2\" width=\"{:.1f}\" height=\"54\"/><rect class=\"other\" x=\"{:.1f}\" y=\"{:.1f}\" "
          "width=\"{:.1f}\" height=\"{:.1f}\"><title>{}: {} {}</title></rect>",
          x + 1, step - 2, x + 1, 56 - h, step - 2, h, escape(id), escape(count_of(p, t_.denominator)), t_.of);
      add("<text class=\"softfill\" style=\"font-size:9.5px\" x=\"{:.1f}\" y=\"70\" text-anchor=\"middle\">{}</text>\n", x + step / 2,
          id.size() > 3 ? (id == "coccyx" ? "Co" : "out") : escape(id));
      x += step;
    }
    out_ +=
        "</svg>\n<figcaption>Level by level, drawn to the largest; Co is the coccyx, out is outside the "
        "spine.</figcaption>\n</figure></section>\n";
  }

  void forecast() {
    if (t_.forecast.empty()) return;
    out_ += "<section aria-labelledby=\"forecast\">\n<h2 id=\"forecast\">If nothing is done</h2>\n";
    if (person_) {
      add("<p>{}</p>\n</section>\n", escape(t_.forecast_sentence));
      return;
    }
    out_ += "<table><caption>Cord or cauda equina compressed by then, whatever the cause</caption><thead><tr><th scope=\"col\">within</th>";
    for (const auto& [weeks, s] : t_.forecast) add("<th scope=\"col\" class=\"n\">{}</th>", escape(s.name));
    add("</tr></thead><tbody><tr><th scope=\"row\">{}</th>", t_.of);
    for (const auto& [weeks, s] : t_.forecast) add("<td class=\"n\">{}<small>{}</small></td>", escape(s.count), escape(s.range));
    out_ += "</tr></tbody></table>\n</section>\n";
  }

  void reasons() {
    if (t_.reasons.empty() && t_.hardly.empty()) return;
    add("<section class=\"wide\" aria-labelledby=\"why\">\n<h2 id=\"why\">{}</h2>\n", person_ ? "What counts, and how much" : "Why");
    double most = 3;
    for (const auto& g : t_.reasons)
      for (const auto& p : g.pushes) most = std::max(most, std::abs(p.decibans));
    if (!t_.reasons.empty()) {
      if (person_)
        out_ +=
            "<table><thead><tr><th scope=\"col\">answer</th><th scope=\"col\">less ← → more</th><th scope=\"col\">how "
            "much</th></tr></thead>\n";
      else
        out_ +=
            "<table><caption>Push on the odds of a tumour in decibans: +3 doubles them, +10 is ten times. Each answer is put back alone, "
            "so pushes do not add up. After it, the mechanism that carries it.</caption>"
            "<thead><tr><th scope=\"col\">answer</th><th scope=\"col\">less ← → more</th><th scope=\"col\" class=\"n\">decibans</th><th "
            "scope=\"col\">&nbsp; in words</th></tr></thead>\n";
      for (const auto& g : t_.reasons) {
        add("<tbody class=\"g\"><tr><th colspan=\"{}\" scope=\"rowgroup\">{}</th></tr>\n", person_ ? 3 : 4, escape(capital(g.group)));
        for (const auto& p : g.pushes) {
          add("<tr><th scope=\"row\">{}</th><td class=\"b\">{}</td>", escape(p.what), push_bar(p.decibans / most));
          if (!person_) add("<td class=\"n\">{}</td>", signed_decibans(p.decibans));
          std::string tail;
          if (!person_ && std::abs(p.emergency_decibans) >= 3) tail += "; emergency " + signed_decibans(p.emergency_decibans);
          if (!person_ && !p.carrier.empty()) tail += "; " + p.carrier;
          add("<td>{}{}<small>{}</small></td></tr>\n", person_ ? "" : "&nbsp; ", escape(person_ ? p.words : how_much(p.words)),
              escape(tail));
        }
        out_ += "</tbody>\n";
      }
      out_ += "</table>\n";
    }
    if (!t_.hardly.empty()) add("<p class=\"soft\">Hardly counts: {}.</p>\n", escape(t_.hardly));
    out_ += "</section>\n";
  }

  void next() {
    if (t_.next.empty()) return;
    add("<section class=\"next\" aria-labelledby=\"next\">\n<h2 id=\"next\">{}</h2>\n",
        person_ ? "What would tell us more" : "Ask or test next");
    add("<table><caption>{}</caption><thead><tr><th scope=\"col\">question</th><th scope=\"col\">answer</th>{}<th scope=\"col\" "
        "class=\"n\">tumour{}</th>{}</tr></thead>\n",
        person_
            ? fmt::format("Now: tumour {}, something that cannot wait {} {}.", escape(t_.tumour_count), escape(t_.emergency_count), t_.of)
            : fmt::format("Most information for the least burden. Now: tumour {}, emergency {} {}.", escape(t_.tumour_count),
                          escape(t_.emergency_count), t_.of),
        person_ ? "" : "<th scope=\"col\" class=\"n\">this answer in</th>", "",
        person_ ? "<th scope=\"col\" class=\"n\">&nbsp; cannot wait</th>" : "<th scope=\"col\" class=\"n\">&nbsp; emergency</th>");
    for (const auto& q : t_.next) {
      out_ += "<tbody>";
      bool first = true;
      for (const auto& o : q.outcomes) {
        out_ += "<tr>";
        if (first)
          add("<th scope=\"rowgroup\" rowspan=\"{}\">{}{}</th>", q.outcomes.size(), escape(q.ask),
              person_ ? "" : " <small>" + escape(q.burden) + "</small>");
        first = false;
        add("<td>{}</td>", escape(o.answer));
        if (!person_) add("<td class=\"n\">{}</td>", escape(o.chance));
        add("<td class=\"n\">{}</td>", escape(o.tumour));
        add("<td class=\"n\">{}</td>", escape(o.emergency));
        out_ += "</tr>\n";
      }
      out_ += "</tbody>\n";
    }
    out_ += "</table>\n</section>\n";
  }

  void changes() {
    if (t_.changes.empty()) return;
    out_ += "<section aria-labelledby=\"changes\">\n<h2 id=\"changes\">" +
            std::string(person_ ? "What would make it more urgent" : "What would change the urgency") + "</h2>\n<ul>\n";
    for (const auto& c : t_.changes)
      add("<li>{} → <strong>{}</strong>{}</li>\n", escape(capital(c.answers)), escape(c.urgency),
          person_ ? "" : " <small>(" + escape(c.because) + ")</small>");
    out_ += "</ul>\n</section>\n";
  }

  void lists() {
    if (person_ || t_.lists_rest.empty()) return;
    add("<section aria-labelledby=\"lists\">\n<h2 id=\"lists\">Red-flag lists, run as written</h2>\n<p "
        "class=\"soft\">{}.{}</p>\n</section>\n",
        escape(capital(t_.lists_rest)),
        t_.lists_fire.empty() ? "" : " Fire: " + escape(fmt::format("{}", fmt::join(t_.lists_fire, "; "))) + ".");
  }

  void unused() {
    if (t_.noted.empty() && t_.unread.empty()) return;
    out_ += "<section aria-labelledby=\"unused\">\n<h2 id=\"unused\">Not used</h2>\n";
    if (!t_.noted.empty()) add("<p>Noted, but nothing here depends on it: {}.</p>\n", escape(fmt::format("{}", fmt::join(t_.noted, ", "))));
    if (!t_.unread.empty()) add("<p>Not read at all: {}.</p>\n", escape(fmt::format("{}", fmt::join(t_.unread, ", "))));
    out_ += "</section>\n";
  }

  void net() {
    add("<section class=\"net\" aria-labelledby=\"net\">\n<h2 id=\"net\">{}</h2>\n{}{}</section>\n",
        person_ ? "When to get help" : "Safety net", items(t_.safety_net),
        t_.emergency_number.empty() ? "" : "<p><strong>Emergency number: " + escape(t_.emergency_number) + "</strong></p>\n");
  }

  const Told& t_;
  const bool person_;
  std::string out_;
};

}  // namespace

std::string html_report(const Report& report, Voice voice) {
  const Told told = tell(report, voice);
  return Page(told).html();
}

std::string html_report(const Report& report) { return html_report(report, Voice::clinician); }

}  // namespace dorsalgia
