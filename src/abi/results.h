// A table of people -> the table of their results, in whole or as a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "abi/brain.h"
#include "abi/people.h"

namespace dorsalgia::abi {

inline constexpr std::int64_t kBatchRows = 32 * kChunk;  // of results at once

struct TableOptions {
  Wanted wanted;
  bool probability = true;
  std::string profile = "uk";
  bool strict = false;
  unsigned threads = 1;

  // Throws Fault on a group, profile or number that there is not.
  static TableOptions from(const char* outputs, const char* profile, int strict, int threads);
};

class Assessor {
 public:
  // Throws Fault: a column of a wrong type; strict, and an unknown column.
  Assessor(std::shared_ptr<const Brain> brain, const ArrowSchema& people, const TableOptions& options);

  void schema(ArrowSchema* out) const;
  const PeopleReader& reader() const { return reader_; }

  struct Part {  // rows of a batch, and where their results go
    std::shared_ptr<const PeopleReader::Batch> batch;
    std::int64_t from;
    int rows;  // at most kChunk
    std::int64_t at;
  };
  // `before`: rows of earlier calls, for messages. Throws Fault when strict and a row is at fault: the first one.
  void assess(const std::vector<Part>& parts, std::int64_t before, ArrowArray* out);

 private:
  struct Scratch {
    Piece piece;
    PosteriorTable posterior;
  };
  void odd_rows(const Piece& piece, PosteriorTable& out) const;
  void write(const Part& part, const Scratch& scratch, std::vector<Column>& columns) const;

  std::shared_ptr<const Brain> brain_;
  TableOptions options_;
  PeopleReader reader_;
  std::vector<Field> fields_;
  std::vector<Scratch> scratch_;  // by worker
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
