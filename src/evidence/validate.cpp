#include "evidence/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace dorsalgia {

using nlohmann::json;

namespace {

bool counted(const Expectation& x, Use use) { return x.figure->use == use && x.left_out.empty(); }

const char* kind_name(StudyFigure::Kind kind) {
  switch (kind) {
    case StudyFigure::Kind::share: return "share";
    case StudyFigure::Kind::likelihood_ratio: return "likelihood ratio";
    case StudyFigure::Kind::odds_ratio: return "odds ratio";
    case StudyFigure::Kind::recovery: return "recovered";
    case StudyFigure::Kind::delay: return "delay";
  }
  return "";
}

// Two digits that matter, of a share near 1 of what it lacks: "0.68%", "62%", "99.5%".
std::string percent(double x) {
  const double p = 100 * x;
  if (p > 99.05 && p < 99.995) return fmt::format("{:.{}f}%", p, p < 99.95 ? 1 : 2);
  return p < 9.95 ? fmt::format("{:.2g}%", p) : fmt::format("{:.0f}%", p);
}

std::string told(const json& figure, const json& x, bool unit) {
  if (!x.is_number()) return "-";
  const std::string kind = figure["kind"];
  const double v = x;
  if (kind == "share" || kind == "recovered") return percent(v);
  return fmt::format("{}{}", v < 99.5 ? fmt::format("{:.2g}", v) : fmt::format("{:.0f}", v), unit && kind == "delay" ? " weeks" : "");
}

// "65% (59% to 70%)"; key: "observed" or "expected".
std::string range(const json& figure, const std::string& key) {
  if (!figure.contains(key)) return "-";
  const json low = figure.value(key + "_low", json()), high = figure.value(key + "_high", json());
  const std::string value = told(figure, figure[key], true);
  return low.is_null() ? value : fmt::format("{} ({} to {})", value, told(figure, low, false), told(figure, high, false));
}

std::string study_link(const json& figure) {
  const std::string id = figure["study"];
  return fmt::format("[{}](../knowledge/studies/{}.yaml)", id, id);
}

double sampling_distance(const Expectation& x) {
  const double joint = std::hypot(std::hypot(x.model_sd, x.observed_sd), kBetweenStudies);
  return x.distance * joint / std::hypot(x.model_sd, x.observed_sd);
}

}  // namespace

Coverage coverage(const std::vector<Expectation>& all, Use use) {
  Coverage out;
  for (const Expectation& x : all) {
    if (!counted(x, use)) continue;
    ++out.figures;
    out.inside += x.inside;
    out.inside_without_spread += std::abs(sampling_distance(x)) <= 1.959964;
  }
  return out;
}

json validation_json(const Knowledge& knowledge, const Model& model, const std::vector<Expectation>& all) {
  json out;
  out["program"] = {{"version", model.version}, {"model", model.hash}, {"calibrated", !knowledge.fitted.parameters.empty()}};
  out["between_studies"] = kBetweenStudies;
  for (Use use : {Use::calibration, Use::validation}) {
    const Coverage c = coverage(all, use);
    out["coverage"][use_name(use)] = c.share();
    out["counts"][use_name(use)] = {
        {"figures", c.figures}, {"inside", c.inside}, {"inside_without_spread_between_studies", c.inside_without_spread}};
  }
  out["figures"] = json::array();
  for (const Expectation& x : all) {
    const StudyFigure& f = *x.figure;
    json j = {{"study", x.study->id},   {"name", x.study->name},     {"figure", f.id},        {"kind", kind_name(f.kind)},
              {"use", use_name(f.use)}, {"source", x.study->source}, {"where", f.cite.where}, {"status", status_name(f.cite.status)},
              {"observed", f.value}};
    if (f.total > 0) j["total"] = f.total;
    const bool has_interval = f.high > f.low && !(f.low == 0 && f.high == 1 && f.total <= 0);
    j["observed_low"] = has_interval ? json(f.low) : json(nullptr);
    j["observed_high"] = has_interval ? json(f.high) : json(nullptr);
    if (!x.study->setting.empty()) j["setting"] = x.study->setting;
    if (x.left_out.empty()) {
      j["expected"] = x.expected, j["expected_low"] = x.low, j["expected_high"] = x.high;
      if (f.use != Use::context) j["distance"] = x.distance, j["inside"] = x.inside;
    } else {
      j["left_out"] = x.left_out;
    }
    if (!f.missed.empty()) j["missed"] = f.missed;
    if (!f.because.empty()) j["because"] = f.because;
    else if (f.use == Use::context) j["because"] = x.study->because;
    out["figures"].push_back(std::move(j));
  }
  return out;
}

std::string validation_page(const json& v) {
  const double spread = v["between_studies"];
  const auto shifted = [&](double by) { return percent(1 / (1 + std::exp(-by))); };
  std::string out =
      "# Validation: the model against published studies\n\n"
      "Written by `make validate`; do not edit.\n\n"
      "**What is compared.** *Observed* is what the authors of a study counted, with its 95% interval. *Expected* is what the model says\n"
      "of the same kind of people: everybody who comes with back pain, filtered as the study chose its patients.\n\n"
      "**What \"inside\" means.** If the model is right, 95 of 100 studies of that size fall into the interval behind *expected*. It is "
      "wide\n"
      "for three reasons: the model's own numbers are uncertain, a study of few people is subject to chance, and studies of the same\n"
      "thing differ: ";
  out += fmt::format("where one finds 50%, others find {} to {} (a standard deviation of {:g} on the logit scale, a judgement).\n",
                     shifted(-1.959964 * spread), shifted(1.959964 * spread), spread);
  out +=
      "A figure is *inside* when the observed value lies in that interval. Far fewer than 95 of 100 inside: the model is wrong, or surer\n"
      "than it should be. A wide interval is easy to hit: inside does not mean close, so look at both numbers.\n\n"
      "**Which studies.** Which ones *validate* was drawn by lot before the first fit (`scripts/draw-validation.py`); no fit has seen "
      "them,\n";
  out += v["program"]["calibrated"].get<bool>()
             ? "so only they tell how the model does on something new. The *calibration* studies were used to fit it.\n"
             : "so only they tell how the model does on something new. The *calibration* studies are for fitting; this model is not fitted "
               "yet.\n";
  out +=
      "*Context* studies cannot be held against the model; each says why. The format of a study: [studies.md](studies.md).\n\n"
      "| studies | how many | figures | inside | inside if studies never differed |\n| --- | --- | --- | --- | --- |\n";
  for (const char* use : {"validation", "calibration"}) {
    const json& c = v["counts"][use];
    const int n = c["figures"];
    std::set<std::string> studies;
    for (const json& f : v["figures"])
      if (f["use"] == use && f.contains("inside")) studies.insert(f["study"].get<std::string>());
    const auto share = [&](const char* key) {
      return fmt::format("{} ({:.0f}%)", c[key].get<int>(), n ? 100.0 * c[key].get<int>() / n : 0);
    };
    out += fmt::format("| {} | {} | {} | {} | {} |\n", use, studies.size(), n, share("inside"),
                       share("inside_without_spread_between_studies"));
  }
  out +=
      "\n## Expected against observed\n\n![Every share that was counted, expected against observed](calibration.svg)\n\n"
      "## Every figure of the validation studies\n\n![Observed and expected, figure by figure](validation.svg)\n\n"
      "The same for the [calibration studies](validation-calibration.svg).\n";
  for (const char* use : {"validation", "calibration"}) {
    out += fmt::format("\n## Figures outside: {} studies\n\n", use);
    std::vector<const json*> outside;
    for (const json& f : v["figures"])
      if (f["use"] == use && f.contains("inside") && !f["inside"].get<bool>()) outside.push_back(&f);
    if (outside.empty()) {
      out += "None.\n";
      continue;
    }
    std::sort(outside.begin(), outside.end(), [](const json* a, const json* b) {
      return std::abs((*a)["distance"].get<double>()) > std::abs((*b)["distance"].get<double>());
    });
    out +=
        "Furthest first. *Off by*: in standard deviations of the interval; above 0, more was observed than expected. Outside is beyond "
        "1.96.\n\n"
        "| study | figure | observed | expected | off by | why, as far as known |\n| --- | --- | --- | --- | --- | --- |\n";
    for (const json* f : outside)
      out += fmt::format("| {} | {} | {} | {} | {:+.1f} | {} |\n", study_link(*f), (*f)["figure"].get<std::string>(), range(*f, "observed"),
                         range(*f, "expected"), (*f)["distance"].get<double>(), f->value("missed", "not explained yet"));
  }
  for (const char* use : {"validation", "calibration", "context"}) {
    out +=
        fmt::format("\n## All figures: {} studies\n\n| study | figure | observed | expected | |\n| --- | --- | --- | --- | --- |\n", use);
    std::string study_before, mark_before;
    for (const json& f : v["figures"]) {
      if (f["use"] != use) continue;
      const std::string study = f["study"], kind = f["kind"];
      const bool same_study = study == study_before;
      std::string mark;
      if (f.contains("inside")) mark = f["inside"].get<bool>() ? "inside" : "**outside**";
      else mark = f.contains("left_out") ? f["left_out"].get<std::string>() : f.value("because", "");
      const bool same_reason = same_study && mark == mark_before && !f.contains("inside") && !mark.empty();
      out += fmt::format("| {} | {}{} | {} | {} | {} |\n", same_study ? "" : study_link(f) + ": " + f["name"].get<std::string>(),
                         f["figure"].get<std::string>(), kind == "likelihood ratio" || kind == "odds ratio" ? ", " + kind : "",
                         range(f, "observed"), range(f, "expected"), same_reason ? "the same" : mark);
      study_before = study, mark_before = mark;
    }
  }
  return out;
}

}  // namespace dorsalgia
