// A table of people -> the table of their results, in whole or as a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "abi/brain.h"
#include "abi/people.h"

namespace dorsalgia::abi {

struct TableOptions {
  Wanted wanted;
  bool probability = true;
  bool intervals = false, next = false;  // milliseconds and tenths of them a row, where all else is microseconds
  std::string profile = "uk";
  bool strict = false;
  unsigned threads = 1;

  // How many rows are divided among the threads as one, and how many are results at once: a table of milliseconds a row is divided
  // finely, so that small ones keep all threads busy and the first results come soon.
  int rows_of_a_part() const { return intervals || next ? 8 : kChunk; }
  std::int64_t rows_of_a_batch() const { return intervals || next ? 1024 : 32 * kChunk; }

  // Throws Fault on a group, profile or number that there is not.
  static TableOptions from(const char* outputs, const char* profile, int strict, int threads);
};

class Assessor {
 public:
  // Throws Fault: a column of a wrong type; strict, and an unknown column.
  Assessor(std::shared_ptr<const Brain> brain, const ArrowSchema& people, const TableOptions& options);

  void schema(ArrowSchema* out) const;
  const PeopleReader& reader() const { return reader_; }
  const TableOptions& options() const { return options_; }

  struct Part {  // rows of a batch, and where their results go
    std::shared_ptr<const PeopleReader::Batch> batch;
    std::int64_t from;
    int rows;  // at most rows_of_a_part()
    std::int64_t at;
  };
  // `before`: rows of earlier calls, for messages. Throws Fault when strict and a row is at fault: the first one.
  void assess(const std::vector<Part>& parts, std::int64_t before, ArrowArray* out);

 private:
  struct Scratch {
    Piece piece;
    PosteriorTable posterior;
    std::vector<int> without;  // rows that have no probabilities
  };
  void odd_rows(const Piece& piece, PosteriorTable& out) const;
  // stated: who has probabilities.
  void write(const Part& part, Scratch& scratch, std::vector<Column>& columns, Known& stated) const;
  void one_by_one(const Part& part, const Scratch& scratch, std::vector<Column>& columns, std::size_t next) const;

  std::shared_ptr<const Brain> brain_;
  TableOptions options_;
  PeopleReader reader_;
  std::vector<Field> fields_;
  std::vector<Scratch> scratch_;  // by worker
  std::shared_ptr<Shelf> shelf_;
};

// The stream of results: moves out of `people`. Throws Fault.
void assess_stream(std::shared_ptr<const Brain> brain, Stream people, const TableOptions& options, ArrowArrayStream* out);

// The batches of a stream, read now. Throws Fault when it fails.
void gather(Stream from, ArrowArrayStream* out);

// A stream of tables from a function that fills the next one and returns false when there is none. Exceptions become its errors.
class Source {
 public:
  virtual ~Source() = default;
  virtual void schema(ArrowSchema* out) = 0;
  virtual bool next(ArrowArray* out) = 0;
};
void export_stream(std::unique_ptr<Source> source, ArrowArrayStream* out);

}  // namespace dorsalgia::abi
