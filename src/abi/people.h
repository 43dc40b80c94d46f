// Arrow columns -> PeopleTable. Faults of a column end the call; faults of a row are told with it and the rest goes on.
//
// What a column may hold is chosen so that nothing is guessed: null is unknown; a NaN is a fault (whoever means unknown says
// null, as pandas does by itself); a number stands for present (1) and absent (0) only, because grades and times since a
// cancer have no numbers that everybody reads alike.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "abi/arrow.h"
#include "batch/table.h"
#include "knowledge/knowledge.h"

namespace dorsalgia::abi {

// The columns that a table may have, for people to read: dorsalgia_schema.
std::vector<Field> table_fields(const Knowledge& knowledge, const Model& model);

// The grades of a finding as they are told in a table: "absent", "present"; the names of its grades; "never", "less than 1 year
// ago", ...
std::vector<std::string> grade_words(const Finding& finding, const ModelFinding& model);

// Some rows of a batch, read.
struct Piece {
  struct Odd {  // what PeopleTable has no room for: several places, the border of a sensory level
    std::vector<int> locations;
    int sensory_segment = -1;
  };
  PeopleTable people;
  std::map<int, std::string> faults;  // by row: why it cannot be assessed
  std::map<int, Odd> odd;             // by row
};

class PeopleReader {
 public:
  // All must outlive this, but the schema. Throws Fault: a column of a wrong type, two columns about one thing.
  PeopleReader(const Knowledge& knowledge, const Model& model, const ArrowSchema& schema);

  // One batch, made ready: its lengths are checked. Throws Fault.
  class Batch {
   public:
    std::int64_t rows() const { return array_.it.length; }

   private:
    friend class PeopleReader;
    Array array_;
    std::vector<std::unique_ptr<ColumnView>> columns_;  // by column; none where it is not read
    std::vector<std::vector<int>> entries_;             // by column and entry of its dictionary: what the word means
  };
  std::shared_ptr<const Batch> open(Array array) const;

  // Rows `from` to `from + rows` (at most kChunk) of the batch. May be called from several threads.
  void read(const Batch& batch, std::int64_t from, int rows, Piece& out) const;

  // Columns that nothing is called by, with a hint: "fevre (did you mean 'fever'?)".
  const std::vector<std::string>& unknown() const { return unknown_; }
  // The column "id" as the results give it back: none when the format is empty.
  const std::string& id_format() const { return id_format_; }
  void copy_ids(const Batch& batch, std::int64_t from, int rows, Column& to, std::int64_t at) const;

 private:
  enum class What { id, age, sex, setting, location, weeks, graded, measured, unread };
  struct Bound {  // a column of the schema and what it is about
    What what = What::unread;
    std::string name;
    Type type;
    int finding = -1;
    double factor = 1;  // to the finding's unit
    std::unordered_map<std::string, int> words;
    int present = 0;      // what "present" stands for, where it does
    bool plain = true;    // its codes are those of the table, each of one place
    std::string choices;  // for messages
  };
  void bind(Bound& column, std::map<std::string, std::string>& taken);
  void refuse_wrong_type(const Bound& column) const;
  int code_of(const Bound& column, std::string_view word) const;
  void numbers(const Bound& column, const ColumnView& view, std::int64_t from, int rows, double* to, std::uint8_t* known, Piece& out) const;
  void codes(const Bound& column, std::size_t index, const Batch& batch, std::int64_t from, int rows, std::int8_t* to, Piece& out) const;
  void impossible(Piece& piece) const;

  const Knowledge& k_;
  const Model& m_;
  std::vector<Bound> columns_;
  std::vector<std::string> unknown_;
  std::string id_format_;
  std::vector<std::vector<int>> places_;                // codes of `location` beyond the model's own: several places
  std::vector<std::array<bool, 2>> may_be_impossible_;  // by finding and sex
};

}  // namespace dorsalgia::abi
