/*
 * Licensed under the Apache License, Version 2.0.
 *
 * Drives the HL7 FHIR validator for trialconv, which starts it from this source: java -cp <the validator> Judge.java.
 *
 * Standard input has one command on a line, its words separated by tabs; standard output has one line of answer each.
 *
 *   load NAME CORE [PACKAGE...] [FOLDER]   load definitions under a name: packages are id#version, of the package
 *                                          cache; the folder has resources. Answers {}.
 *   judge NAME FILE                        judge a file by these. Answers an OperationOutcome.
 *   forget NAME                            make room. Answers {}.
 *
 * What goes wrong with a command is answered as {"failed": "..."}. Only what changes little between versions of the
 * validator is used.
 */

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.r5.formats.JsonParser;
import org.hl7.fhir.utilities.json.model.JsonObject;
import org.hl7.fhir.utilities.settings.FhirSettings;
import org.hl7.fhir.validation.ValidationEngine;

public final class Judge {

  private final Map<String, ValidationEngine> engines = new HashMap<>();

  public static void main(String[] arguments) throws Exception {
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err); // the validator talks there
    FhirSettings.setExplicitFilePath(arguments[0]); // forbids the network
    Judge judge = new Judge();
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      answers.println(judge.answer(line.split("\t")));
    }
  }

  private String answer(String[] command) {
    try {
      switch (command[0]) {
        case "load":
          return load(command);
        case "judge":
          return judge(command[1], command[2]);
        default:
          engines.remove(command[1]);
          return "{}";
      }
    } catch (Exception | StackOverflowError | OutOfMemoryError | NoClassDefFoundError | NoSuchMethodError problem) {
      problem.printStackTrace();
      JsonObject failed = new JsonObject();
      failed.add("failed", problem.toString());
      return org.hl7.fhir.utilities.json.parser.JsonParser.compose(failed);
    }
  }

  private String load(String[] command) throws Exception {
    ValidationEngine engine =
        new ValidationEngine.ValidationEngineBuilder().withNoTerminologyServer().fromSource(command[2]);
    engine.getContext().setCanRunWithoutTerminology(true);
    engine.getContext().setNoTerminologyServer(true);
    for (int word = 3; word < command.length; word++) {
      String[] idAndVersion = command[word].split("#");
      if (idAndVersion.length == 2) {
        engine.loadPackage(idAndVersion[0], idAndVersion[1]);
      } else {
        engine.getIgLoader().loadIg(engine.getIgs(), engine.getBinaries(), command[word], false);
      }
    }
    engine.prepare();
    engines.put(command[1], engine);
    return "{}";
  }

  private String judge(String name, String file) throws Exception {
    ValidationEngine engine = engines.get(name);
    List<String> profiles = new ArrayList<>();
    return new JsonParser().composeString(engine.validate(file, profiles, engine.getIgLoader(), false));
  }
}
