// The report for a terminal: what to do first, numbers beside bars, one or two screens. Columns count what is seen:
// UTF-8 characters, not bytes, and no colour codes.
#include <fmt/color.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "report/telling.h"

namespace dorsalgia {

namespace {

using Lines = std::vector<std::string>;

constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

std::size_t seen(const std::string& s) {
  std::size_t n = 0;
  bool code = false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto c = static_cast<unsigned char>(s[i]);
    if (c == 0x1B) code = true;
    else if (code) code = c != 'm';
    else if ((c & 0xC0) != 0x80 && !(c == 0xCC || (c == 0xCD && i + 1 < s.size() && static_cast<unsigned char>(s[i + 1]) < 0xB0)))
      ++n;  // not combining marks
  }
  return n;
}

std::string times(const char* s, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += s;
  return out;
}

std::string pad(const std::string& s, int columns) { return s + times(" ", columns - static_cast<int>(seen(s))); }
std::string pad_left(const std::string& s, int columns) { return times(" ", columns - static_cast<int>(seen(s))) + s; }

// Words on lines of so many columns; a word that is longer than a line is cut.
Lines wrap(const std::string& text, int columns) {
  const auto most = static_cast<std::size_t>(std::max(columns, 12));
  Lines out;
  std::string line;
  std::size_t used = 0;
  auto end_line = [&] {
    out.push_back(line);
    line.clear();
    used = 0;
  };
  std::size_t i = 0;
  while (i < text.size()) {
    const auto space = std::min(text.find(' ', i), text.size());
    std::string word = text.substr(i, space - i);
    i = space + 1;
    if (word.empty()) continue;
    std::size_t n = seen(word);
    if (used && used + 1 + n > most) end_line();
    while (n > most) {
      std::size_t bytes = 0, taken = 0;
      while (taken < most) {
        ++bytes;
        while (bytes < word.size() && (static_cast<unsigned char>(word[bytes]) & 0xC0) == 0x80) ++bytes;
        ++taken;
      }
      out.push_back(word.substr(0, bytes));
      word = word.substr(bytes);
      n = seen(word);
    }
    if (used) line += ' ', ++used;
    line += word;
    used += n;
  }
  if (used || out.empty()) end_line();
  return out;
}

std::string fit_in(const std::string& s, int columns) {
  if (static_cast<int>(seen(s)) <= columns) return pad(s, columns);
  std::string out;
  int n = 0;
  for (std::size_t i = 0; i < s.size() && n < columns - 1; ++n) {
    do out += s[i++];
    while (i < s.size() && (static_cast<unsigned char>(s[i]) & 0xC0) == 0x80);
  }
  return pad(out + "…", columns);
}

std::string bar(double share, int columns) {
  const double eighths = std::clamp(share, 0.0, 1.0) * columns * 8;
  auto n = static_cast<int>(std::lround(eighths));
  if (n == 0 && share > 0) n = 1;  // a low chance is still a chance
  return times("█", n / 8) + kEighths[n % 8];
}

class Page {
 public:
  Page(const Told& told, const TextOptions& options) : t_(told), colour_(options.colour), width_(std::clamp(options.width, 40, 140)) {}

  std::string text() {
    top();
    urgency();
    not_assessed();
    if (t_.withheld.empty()) {
      probability();
      visits();
      if (t_.voice == Voice::person) person_numbers();
      else clinician_numbers();
    } else {
      heading("No probabilities");
      paragraph(t_.withheld);
    }
    changes();
    rest();
    return std::move(out_);
  }

 private:
  std::string paint(const fmt::text_style& style, const std::string& s) const {
    return colour_ && !s.empty() ? fmt::format(style, "{}", s) : s;
  }
  std::string bold(const std::string& s) const { return paint(fmt::emphasis::bold, s); }
  std::string dim(const std::string& s) const { return paint(fmt::emphasis::faint, s); }
  std::string accent(const std::string& s) const { return paint(fmt::fg(fmt::terminal_color::cyan), s); }
  std::string tumour(const std::string& s) const { return paint(fmt::fg(fmt::terminal_color::magenta), s); }
  fmt::text_style urgent(Urgency u) const {
    using fmt::terminal_color;
    switch (u) {
      case Urgency::emergency: return fmt::fg(terminal_color::bright_red) | fmt::emphasis::bold;
      case Urgency::urgent: return fmt::fg(terminal_color::red) | fmt::emphasis::bold;
      case Urgency::soon: return fmt::fg(terminal_color::yellow) | fmt::emphasis::bold;
      case Urgency::routine: break;
    }
    return fmt::emphasis::bold;
  }

  void line(const std::string& s = "") {
    std::size_t end = s.size();
    while (end && s[end - 1] == ' ') --end;
    out_.append(s, 0, end);
    out_ += '\n';
  }
  // `first` stands before the first line, the others are indented as far.
  void paragraph(const std::string& text, const std::string& first = " ", bool faint = false) {
    const auto indent = static_cast<int>(seen(first));
    bool begun = false;
    for (const auto& l : wrap(text, width_ - indent)) {
      line((begun ? times(" ", indent) : first) + (faint ? dim(l) : l));
      begun = true;
    }
  }
  void heading(const std::string& name, const std::string& note = "") {
    line();
    const std::string head = " " + bold(name);
    if (note.empty()) return line(head);
    if (static_cast<int>(seen(name) + seen(note)) + 4 <= width_) return line(head + "  " + dim(note));
    line(head);
    paragraph(note, " ", true);
  }

  // ---- sections

  void top() {
    const std::string title = "Could a tumour be causing this back pain?";
    const int room = width_ - static_cast<int>(seen(title)) - 2;
    for (const auto& l : wrap(title, width_ - 1)) {
      const bool beside = !t_.id.empty() && room >= 12;
      line(" " + bold(l) + (beside ? " " + pad_left(dim(static_cast<int>(seen(t_.id)) > room ? fit_in(t_.id, room) : t_.id), room) : ""));
    }
    paragraph(t_.person, " ", true);
    line(dim(times("━", width_)));
  }

  void edged(const std::string& text, const fmt::text_style& style, bool strong = false, const std::string& first = "") {
    const auto indent = static_cast<int>(seen(first));
    bool begun = false;
    for (const auto& l : wrap(text, width_ - 4 - indent)) {
      line(" " + paint(style, "┃") + " " + (begun ? times(" ", indent) : first) + (strong ? paint(style, l) : l));
      begun = true;
    }
  }

  void urgency() {
    const auto style = urgent(t_.urgency);
    std::string title = t_.urgency_title;
    if (t_.urgency > Urgency::routine)
      std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    edged(title, style, true);
    edged(t_.action, style);
    if (!t_.rules.empty()) line(" " + paint(style, "┃"));
    bool first = true;
    std::vector<std::string> less;
    for (const ToldRule& r : t_.rules) {
      const bool same = r.urgency == t_.urgency;
      std::string name = r.name;
      name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
      if (first) {
        edged((t_.voice == Voice::person ? "Why: " : "Rule: ") + name + (r.limit.empty() ? "" : " — " + r.limit), style);
        if (!r.value.empty()) edged(r.value, style, false, "  ");
        if (!r.source.empty()) edged("Source: " + r.source + (r.recommendation.empty() ? "" : ", " + r.recommendation), style, false, "  ");
        if (t_.voice == Voice::clinician) {
          edged(fmt::format("{}{}{}", r.grade, r.checked.empty() ? "" : ", dated " + r.checked, r.why.empty() ? "" : ". " + r.why), style,
                false, "  ");
        }
        if (t_.voice == Voice::person && t_.rules.size() > 1) {
          edged(fmt::format("{} other rule{} fit too.", t_.rules.size() - 1, t_.rules.size() == 2 ? "" : "s"), style);
          break;
        }
      } else if (same) {
        std::string from = r.short_source.empty() ? "our judgement" : r.short_source;
        if (!r.recommendation.empty()) from += ", " + r.recommendation;
        edged(fmt::format("{} — {}{} ({})", name, r.limit.empty() ? urgency_phrase(r.urgency) : r.limit,
                          r.value.empty() ? "" : "; " + r.value,
                          from.size() > 90 ? from.substr(0, from.find_last_of(" ;,", 88)) + " …" : from),
              style, false, "Also: ");
      } else {
        less.push_back(r.name);
      }
      first = false;
    }
    if (!less.empty() && t_.voice == Voice::clinician)
      edged("Less urgent, fired as well: " + fmt::format("{}", fmt::join(less, "; ")), style);
  }

  void not_assessed() {
    if (t_.not_assessed.empty() && t_.not_entered.empty() && t_.could_become.empty()) return;
    if (t_.voice == Voice::person) {
      if (!t_.not_assessed.empty()) {
        heading("Please answer these first", "we do not know the answers, and they can change the advice");
        for (const auto& q : t_.not_assessed) paragraph(q, "  • ");
        if (t_.not_assessed_more) paragraph(fmt::format("and {} more", t_.not_assessed_more), "  • ");
      }
      if (!t_.could_become.empty()) paragraph("With some answers it would be: " + t_.could_become + ".");
    } else {
      heading("Not yet assessed", "unknown is not absent");
      if (!t_.not_assessed.empty())
        paragraph(fmt::format("{}{}", fmt::join(t_.not_assessed, " · "),
                              t_.not_assessed_more ? fmt::format(" · and {} more (--json lists all)", t_.not_assessed_more) : ""));
      if (!t_.could_become.empty()) paragraph("Depending on such answers the urgency may still become: " + t_.could_become + ".");
    }
    if (!t_.not_entered.empty()) paragraph("Not given: " + fmt::format("{}", fmt::join(t_.not_entered, "; ")) + ".");
  }

  void probability() {
    heading(t_.voice == Voice::person ? "How likely is a serious cause?" : "How likely is a tumour?");
    paragraph(t_.answer);
    paragraph(t_.before);
    ladder();
    paragraph(t_.certainty, " ", true);
    if (!t_.poor_fit.empty()) paragraph(t_.poor_fit, " " + paint(urgent(Urgency::soon), "! "));
  }

  // Chances from 1 in 10,000 to 1 in 1 on a logarithmic line: where this person was, is, and where action is asked for.
  void ladder() {
    if (t_.voice == Voice::person || width_ < 72) return;
    const int columns = std::min(width_ - 4, 96);
    const auto at = [&](double p) {
      return std::clamp(static_cast<int>(std::lround((std::log10(std::max(p, 1e-12)) + 4) / 4 * (columns - 1))), 0, columns - 1);
    };
    std::vector<std::string> rule(columns, "─");
    for (int i = 0; i <= 4; ++i) rule[at(std::pow(10, i - 4))] = i == 0 ? "├" : i == 4 ? "┤" : "┼";
    std::vector<std::pair<int, std::string>> below;
    for (const Mark& m : t_.ladder) {
      if (m.name == "before" || m.name == "now") continue;
      rule[at(m.probability)] = dim("┊");
      below.emplace_back(at(m.probability), m.name);
    }
    const int before = at(t_.ladder[0].probability), now = at(t_.ladder[1].probability);
    rule[before] = "○";
    rule[now] = tumour("●");
    std::string above(static_cast<std::size_t>(columns), ' ');
    auto put = [&](std::string& where, int middle, const std::string& what) {
      const int from = std::clamp(middle - static_cast<int>(what.size()) / 2, 0, columns - static_cast<int>(what.size()));
      const auto n = what.size();
      if (where.substr(static_cast<std::size_t>(std::max(0, from - 1)), n + 2).find_first_not_of(' ') != std::string::npos) return false;
      where.replace(static_cast<std::size_t>(from), n, what);
      return true;
    };
    put(above, now, before == now ? "before and now" : "now");
    if (before != now && !put(above, before, "before"))
      put(above, before < now ? std::max(0, now - 6) : std::min(columns - 1, now + 6), "before");
    line();
    line("  " + above);
    std::string scale;
    for (const auto& r : rule) scale += r;
    line("  " + scale);
    std::string ticks(static_cast<std::size_t>(columns), ' ');
    const std::vector<std::string> names = {"1 in 10,000", "1 in 1,000", "1 in 100", "1 in 10", "all"};
    for (int i = 0; i < 5; ++i) put(ticks, at(std::pow(10, i - 4)), names[static_cast<std::size_t>(i)]);
    line("  " + dim(ticks));
    std::string asks;
    for (const auto& [x, name] : below)
      asks += fmt::format("{}{} in {} {}", asks.empty() ? "" : ", ", count_of(threshold(name), t_.denominator), grouped(t_.denominator),
                          name.substr(name.find(": ") + 2));
    if (!asks.empty()) paragraph("┊ cancer alone asks for action from: " + asks, "  ", true);
  }
  // A row a visit, on the ladder's scale by tens.
  void visits() {
    if (t_.visits.empty()) return;
    heading(t_.voice == Voice::person ? "How it has changed" : "Over the visits",
            fmt::format("{} any tumour, {} emergency, {}, by what was known then", "●", "○", t_.of));
    std::size_t names = 0, counts = 8;
    for (const ToldVisit& v : t_.visits) names = std::max(names, seen(v.when));
    const int columns = std::clamp(width_ - static_cast<int>(names) - 2 * static_cast<int>(counts) - 6, 12, 72);
    const auto at = [&](double p) { return static_cast<int>(std::lround((std::log10(std::clamp(p, 1e-4, 1.0)) + 4) / 4 * (columns - 1))); };
    const std::string before = "  " + times(" ", static_cast<int>(names)) + " ";
    line(before + times(" ", columns) + dim(pad_left("tumour", static_cast<int>(counts)) + pad_left("emerg.", static_cast<int>(counts))));
    for (const ToldVisit& v : t_.visits) {
      std::vector<std::string> row(static_cast<std::size_t>(columns), dim("─"));
      for (int i = 0; i < 5; ++i) row[static_cast<std::size_t>(at(std::pow(10, i - 4)))] = dim(i == 0 ? "├" : i == 4 ? "┤" : "┼");
      const auto tumours = static_cast<std::size_t>(at(v.tumour)), emergencies = static_cast<std::size_t>(at(v.emergency));
      row[emergencies] = "○";
      row[tumours] = tumour(tumours == emergencies ? "◉" : "●");
      std::string all;
      for (const auto& c : row) all += c;
      line("  " + pad(v.when, static_cast<int>(names)) + " " + all + pad_left(v.tumour_count, static_cast<int>(counts)) +
           pad_left(v.emergency_count, static_cast<int>(counts)));
      paragraph(v.news, before, true);
    }
    std::string ticks = times(" ", columns);
    const std::vector<std::string> marks = columns >= 56
                                               ? std::vector<std::string>{"1 in 10,000", "1 in 1,000", "1 in 100", "1 in 10", "all"}
                                               : std::vector<std::string>{"10,000th", "1,000th", "100th", "10th", "all"};
    for (std::size_t i = 0; i < 5; ++i) {
      const auto length = static_cast<int>(marks[i].size());
      const int from = std::clamp(at(std::pow(10, static_cast<int>(i) - 4)) - length / 2, 0, columns - length);
      ticks.replace(static_cast<std::size_t>(from), marks[i].size(), marks[i]);
    }
    line(before + dim(ticks));
  }

  double threshold(const std::string& name) const {
    for (const Mark& m : t_.ladder)
      if (m.name == name) return m.probability;
    return 0;
  }

  Lines shares(const std::string& title, const std::vector<ToldShare>& all, int width, int bars, bool notes) const {
    Lines out;
    const bool marks = std::any_of(all.begin(), all.end(), [](const ToldShare& s) { return s.tumour; });
    out.push_back(" " + bold(title) + (marks ? dim("   ● tumours") : "") +
                  pad_left(dim(t_.of), width - 1 - static_cast<int>(seen(title)) - (marks ? 12 : 0)));
    for (const ToldShare& s : all) {
      const bool ranges = notes && width >= 90 && std::any_of(all.begin(), all.end(), [](const ToldShare& x) { return !x.range.empty(); });
      const int counts = ranges ? 24 : 7;
      const int names = width - bars - counts - 4;
      const std::string mark = s.tumour ? "● " : "  ";
      std::string shown = fit_in(s.name, names);
      if (const int left = names - static_cast<int>(seen(s.name)) - 3; notes && !s.note.empty() && left >= 8)
        shown = s.name + dim(" · " + fit_in(s.note, left));
      const std::string b = pad(bar(s.probability, bars), bars);
      out.push_back(" " + (s.tumour ? tumour(mark) : mark) + shown + " " + (s.tumour ? tumour(b) : accent(b)) +
                    pad_left(ranges ? s.count + pad_left(s.range.empty() ? "" : dim(s.range), 16) : s.count, counts));
    }
    return out;
  }

  void put(const Lines& lines) {
    line();
    for (const auto& l : lines) line(l);
  }
  void beside(const Lines& left, const Lines& right, int left_width) {
    line();
    for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i)
      line(pad(i < left.size() ? left[i] : "", left_width) + "  " + (i < right.size() ? right[i] : ""));
  }

  void clinician_numbers() {
    put(shares("Causes", t_.causes, width_ - 1, width_ >= 90 ? 24 : 12, true));
    if (width_ >= 96) {
      const int half = (width_ - 3) / 2;
      beside(shares("Mechanisms at work", t_.mechanisms, half, 6, false), shares("Level", t_.regions, half, 6, true), half);
    } else {
      put(shares("Mechanisms at work", t_.mechanisms, width_ - 1, 10, false));
      put(shares("Level", t_.regions, width_ - 1, 10, true));
    }
    if (!t_.stages.empty()) put(shares("Likeliest stages", t_.stages, width_ - 1, width_ >= 90 ? 24 : 12, true));
    heading("If nothing is done", "cord or cauda equina compressed by then, whatever the cause, " + t_.of);
    std::string all;
    for (const auto& [weeks, s] : t_.forecast)
      all += fmt::format("{}{}: {}{}", all.empty() ? "" : " · ", s.name, s.count, s.range.empty() ? "" : " (" + s.range + ")");
    paragraph(all);
    reasons();
    next();
  }

  void person_numbers() {
    put(shares("What it could be", t_.causes, width_ - 1, width_ >= 90 ? 30 : 12, false));
    if (!t_.forecast.empty()) {
      heading("If nothing is done");
      paragraph(t_.forecast_sentence);
    }
    for (const auto& g : t_.reasons) {
      heading(g.group);
      for (const auto& p : g.pushes) paragraph(p.what + " — " + p.words, "  • ");
    }
    if (!t_.hardly.empty()) paragraph("Hardly counts: " + t_.hardly, " ", true);
    if (t_.next.empty()) return;
    heading("What would tell us more",
            fmt::format("now: tumour {}, something that cannot wait {} {}", t_.tumour_count, t_.emergency_count, t_.of));
    for (const auto& q : t_.next) {
      paragraph(q.ask, "  • ");
      std::string all;
      for (const auto& o : q.outcomes)
        all += fmt::format("{}If {}: tumour {}, cannot wait {}.", all.empty() ? "" : " ", o.answer, o.tumour, o.emergency);
      paragraph(all, "    ", true);
    }
  }

  void reasons() {
    if (t_.reasons.empty()) return;
    heading("Why", "push on the odds of a tumour in decibans (+3 doubles); each put back alone: no sum");
    double most = 3;
    for (const auto& g : t_.reasons)
      for (const auto& p : g.pushes) most = std::max(most, std::abs(p.decibans));
    const int half = 6;
    const int names = std::clamp(width_ - 2 * half - 48, 20, 50);
    for (const auto& g : t_.reasons) {
      line(" " + dim(g.group));
      for (const auto& p : g.pushes) {
        if (width_ < 84) {  // no room for bars
          paragraph(fmt::format("{} · {}{}", p.what, how_much(p.words), p.carrier.empty() ? "" : " · " + p.carrier),
                    pad_left(signed_decibans(p.decibans), 7) + "  ");
          continue;
        }
        const double share = std::abs(p.decibans) / most;
        std::string b = bar(share, half);
        if (p.decibans < 0)
          b = share * half < 0.75 ? "▐" : times("█", static_cast<int>(std::lround(share * half)));  // there are no eighths from the right
        const std::string left = p.decibans < 0 ? pad_left(b, half) : times(" ", half),
                          right = p.decibans >= 0 ? pad(b, half) : times(" ", half);
        std::string tail = how_much(p.words);
        if (std::abs(p.emergency_decibans) >= 3) tail += " · emergency " + signed_decibans(p.emergency_decibans);
        if (!p.carrier.empty()) tail += " · " + p.carrier;
        const std::string row =
            "   " + fit_in(p.what, names) + " " + accent(left) + "│" + tumour(right) + pad_left(signed_decibans(p.decibans), 6) + "  ";
        const auto column = static_cast<int>(seen(row));
        const Lines tails = wrap(tail, width_ - column);
        line(row + tails[0]);
        for (std::size_t i = 1; i < tails.size(); ++i) line(times(" ", column - half - 9) + dim("│") + times(" ", half + 8) + tails[i]);
      }
    }
    if (!t_.hardly.empty()) paragraph("Hardly counts: " + t_.hardly, " ", true);
  }

  void next() {
    if (t_.next.empty()) return;
    heading("Ask or test next", fmt::format("most information for the least burden; tumour (now {}) and emergency (now {}) {}",
                                            t_.tumour_count, t_.emergency_count, t_.of));
    int n = 0;
    for (const auto& q : t_.next) {
      paragraph(fmt::format("{} ({})", q.ask, q.burden), fmt::format(" {} ", ++n));
      std::string all;
      for (const auto& o : q.outcomes)
        all += fmt::format("{}{} (in {}): tumour {}, emergency {}", all.empty() ? "" : " · ", o.answer, o.chance, o.tumour, o.emergency);
      paragraph(all, "   ", true);
    }
  }

  void changes() {
    if (t_.changes.empty()) return;
    heading(t_.voice == Voice::person ? "What would make it more urgent" : "What would change the urgency");
    for (const auto& c : t_.changes)
      paragraph(fmt::format("{} → {}{}", c.answers, c.urgency, t_.voice == Voice::person ? "" : " (" + c.because + ")"),
                c.up ? " ↑ " : " ↓ ");
  }

  void rest() {
    if (t_.voice == Voice::clinician) {
      if (!t_.lists_rest.empty()) {
        heading("Red-flag lists, run as written", t_.lists_rest);
        if (!t_.lists_fire_ids.empty()) paragraph("Fire: " + fmt::format("{}", fmt::join(t_.lists_fire_ids, ", ")), " ", true);
      }
    }
    if (!t_.noted.empty() || !t_.unread.empty()) {
      heading("Not used");
      if (!t_.noted.empty()) paragraph("Noted, but nothing here depends on it: " + fmt::format("{}", fmt::join(t_.noted, ", ")));
      if (!t_.unread.empty()) paragraph("Not read at all: " + fmt::format("{}", fmt::join(t_.unread, ", ")));
    }
    heading(t_.voice == Voice::person ? "When to get help" : "Safety net",
            t_.emergency_number.empty() ? "" : "emergency number: " + t_.emergency_number);
    for (const auto& s : t_.safety_net) paragraph(s, "  • ");
    line();
    line(dim(times("━", width_)));
    for (const auto& l : wrap(t_.not_excluded, width_ - 1)) line(" " + bold(l));
    paragraph(t_.intended_use, " ", true);
    paragraph(t_.model, " ", true);
  }

  const Told& t_;
  const bool colour_;
  const int width_;
  std::string out_;
};

}  // namespace

std::string text_report(const Report& report, const TextOptions& options) {
  const Told told = tell(report, options.for_person ? Voice::person : Voice::clinician);
  return Page(told, options).text();
}

}  // namespace dorsalgia
