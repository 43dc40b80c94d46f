#include "evidence/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

std::string told(const json& figure, const json& x) {
  if (!x.is_number()) return "-";
  const std::string kind = figure["kind"];
  if (kind == "share" || kind == "recovered")
    return x < 0.0995 ? fmt::format("{:.2g}%", 100 * x.get<double>()) : fmt::format("{:.0f}%", 100 * x.get<double>());
  return fmt::format("{:.2g}{}", x.get<double>(), kind == "delay" ? " weeks" : "");
}

std::string range(const json& figure, const char* value, const char* low, const char* high) {
  return fmt::format("{} ({} to {})", told(figure, figure[value]), told(figure, figure[low]), told(figure, figure[high]));
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
  std::string out =
      "# Validation: the model against published studies\n\n"
      "Made by `make validate`; do not edit. Each figure of a study is what its authors counted; *expected* is what the model's own "
      "people,\n"
      "filtered as the study filtered its patients, would show, with the interval in which 95 of 100 studies of this size should fall: "
      "the\n"
      "model's own uncertainty, chance, and a spread of " +
      fmt::format("{:g}", v["between_studies"].get<double>()) +
      " (logit or log) between studies of the same thing. Calibration studies were\n"
      "used to fit the model; validation studies were drawn by lot before the first fit and never used in it.\n\n"
      "| | figures | inside | inside without a spread between studies |\n| --- | --- | --- | --- |\n";
  for (const char* use : {"calibration", "validation"}) {
    const json& c = v["counts"][use];
    const int n = c["figures"];
    const auto share = [&](const char* key) {
      return fmt::format("{} ({:.0f}%)", c[key].get<int>(), n ? 100.0 * c[key].get<int>() / n : 0);
    };
    out += fmt::format("| {} | {} | {} | {} |\n", use, n, share("inside"), share("inside_without_spread_between_studies"));
  }
  out += "\n![validation figures](validation.svg)\n\n![expected against observed](calibration.svg)\n";
  for (const char* use : {"validation", "calibration"}) {
    out += fmt::format("\n## {} studies: figures outside\n\n", use == std::string("validation") ? "Validation" : "Calibration");
    out += "| study | figure | observed | expected | standard deviations | why |\n| --- | --- | --- | --- | --- | --- |\n";
    std::vector<const json*> outside;
    for (const json& f : v["figures"])
      if (f["use"] == use && f.contains("inside") && !f["inside"].get<bool>()) outside.push_back(&f);
    std::sort(outside.begin(), outside.end(), [](const json* a, const json* b) {
      return std::abs((*a)["distance"].get<double>()) > std::abs((*b)["distance"].get<double>());
    });
    for (const json* f : outside) {
      out += fmt::format("| {} | {} | {} | {} | {:+.1f} | {} |\n", (*f)["study"].get<std::string>(), (*f)["figure"].get<std::string>(),
                         range(*f, "observed", "observed_low", "observed_high"), range(*f, "expected", "expected_low", "expected_high"),
                         (*f)["distance"].get<double>(), f->value("missed", "not explained yet"));
    }
    if (outside.empty()) out += "| none | | | | | |\n";
  }
  for (const char* use : {"validation", "calibration", "context"}) {
    out += fmt::format("\n## All figures: {}\n\n| study | figure | observed | expected | |\n| --- | --- | --- | --- | --- |\n", use);
    for (const json& f : v["figures"]) {
      if (f["use"] != use) continue;
      const std::string mark = f.contains("inside")     ? (f["inside"].get<bool>() ? "inside" : "**outside**")
                               : f.contains("left_out") ? f["left_out"].get<std::string>()
                                                        : f.value("because", "");
      const bool interval = !f["observed_low"].is_null();
      out += fmt::format("| {} | {} | {} | {} | {} |\n", f["study"].get<std::string>(), f["figure"].get<std::string>(),
                         interval ? range(f, "observed", "observed_low", "observed_high") : told(f, f["observed"]),
                         f.contains("expected") ? told(f, f["expected"]) : "-", mark);
    }
  }
  return out;
}

}  // namespace dorsalgia
