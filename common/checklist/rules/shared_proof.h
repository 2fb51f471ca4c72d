// Whether nodes share a directory, by what each sees of the others' beacons in it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/checklist/verdict.h"
#include "common/checklist/view/located.h"
#include "common/checklist/view/proof_matrix.h"

namespace connect_ha {

class SharedProof {
 public:
  // Of the nodes that have the directory on a network file system. Borrows all of it.
  SharedProof(const v1::Snapshot& cluster, const std::string& key,
              const std::vector<Located>& located);

  // True: the nodes share it, or some do not, and `verdict` has it. False: nothing is shown yet, or
  // not all of them have the directory.
  bool Judge(Verdict& verdict) const;
  // Says of one of the nodes that it is not proved, why, and what to do.
  void SayNotProved(const Located& one, bool is_unclear, Verdict& verdict) const;

 private:
  void SayApart(const Apart& apart, Verdict& verdict) const;
  void SayNamed(size_t node, const Apart& apart, const std::string& together,
                Verdict& verdict) const;
  bool SeesTheOthers(size_t node, const Apart& apart) const;
  std::string WhatItSees(size_t node) const;
  Fixes FixOf(size_t node, const Apart& apart) const;
  std::string WhyWaiting(size_t node) const;
  std::optional<size_t> PlaceInMatrix(const Located& one) const;

  const v1::Snapshot& cluster_;
  const std::string& key_;
  bool asked_ = false;
  bool whole_ = true;                        // every one of them has the directory
  std::vector<const Located*> located_;      // those that have it, as in the matrix
  std::map<const Located*, size_t> places_;  // of these
  ProofMatrix matrix_;
};

}  // namespace connect_ha
