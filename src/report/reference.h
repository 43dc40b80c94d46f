// Reference pages: one page for a cause, finding, mechanism, course, level, rule, score, source or whatever else has a
// name in the knowledge base, with every number's interval, status and source. Text for a terminal, or JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "knowledge/knowledge.h"
#include "model/model.h"

namespace dorsalgia {

struct PageRow {
  std::string label;
  std::vector<std::string> cells;  // as told; one, or one a column of the section
  std::vector<double> numbers;     // the same in figures: value, low, high; or one a column
  std::optional<Citation> cite;
  std::string words;   // beside the numbers, in place of or before the citation
  bool brief = false;  // the reason stands elsewhere: text shows status and source only
};

struct PageSection {
  std::string heading, text;         // text: a paragraph under the heading
  std::vector<std::string> columns;  // empty: label, value, citation
  std::vector<PageRow> rows;
  std::optional<Citation> cite;  // of the whole table
  double interval_factor = 0;    // of the whole table; 0: none
};

struct Page {
  std::string kind, id, name;
  std::vector<PageSection> sections;
};

struct Named {
  std::string kind, id;
};
std::vector<Named> all_pages(const Knowledge& knowledge);

// id, "kind/id" or a synonym of a finding. Several when several kinds of thing share the name; none when nothing has it.
std::vector<Page> reference_pages(const Knowledge& knowledge, const Model& model, const std::string& id);

std::string text_page(const Page& page, const Knowledge& knowledge, int width, bool colour);
nlohmann::ordered_json json_page(const Page& page, const Knowledge& knowledge);

// Words broken at spaces to `width` columns, each line after `indent` spaces; the first line without them.
std::string wrapped(const std::string& text, int width, int indent);
std::string short_citation(const Source& source);  // "Harding 2005"
std::string full_citation(const Source& source);
std::string percent(double share);                       // "44%", "0.05%"
std::string condition_told(const Condition& condition);  // "all of (fever, any of (night_pain, weight_loss))"

}  // namespace dorsalgia
